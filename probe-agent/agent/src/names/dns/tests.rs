use std::{net::IpAddr, time::Duration};

use model::errno::NameError;

use super::{Families, Found, NotFound, Part, combine};

fn part(ip: &str, seconds: u64) -> Part {
    Ok((vec![ip.parse::<IpAddr>().unwrap()], Duration::from_secs(seconds)))
}

fn error(error: NameError) -> Part {
    Err(NotFound::new(error, "x"))
}

#[test]
fn an_answer_consists_of_two() {
    let found = |addresses: &[&str], seconds, missing| {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        Ok(Found { addresses, valid: Duration::from_secs(seconds), missing })
    };
    let (v4, v6) = ("10.0.0.1", "2001:db8::1");
    for (parts, expected) in [
        ((part(v4, 5), part(v6, 3)), found(&[v4, v6], 3, None)),
        ((part(v4, 5), error(NameError::NoAddress)), found(&[v4], 5, None)),
        ((part(v4, 5), error(NameError::NoAnswer)), found(&[v4], 5, Some(Families::V6))),
        ((error(NameError::Failed), part(v6, 3)), found(&[v6], 3, Some(Families::V4))),
        ((part(v4, 5), Ok((vec![], Duration::MAX))), found(&[v4], 5, None)),
    ] {
        assert_eq!(combine(parts.0, parts.1), expected);
    }
    for (v4, v6, expected) in [
        (NameError::NoName, NameError::NoName, NameError::NoName),
        (NameError::NoAddress, NameError::NoAnswer, NameError::NoAnswer),
        (NameError::Failed, NameError::NoAddress, NameError::Failed),
    ] {
        assert_eq!(combine(error(v4), error(v6)).map_err(|not| not.error), Err(expected));
    }
}
