//! Servers that drop a half-open connection on their own: what is reported of a RST that they did not get.

use lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::privileged;
use serde_json::Value;

use crate::support::{check_in, run};

/// The first verdict of each probe, with its proof, from one port at a server with this parameter. The
/// first RST is lost.
fn verdicts(parameter: (&str, &str), schedule: &str) -> Vec<String> {
    let lab = Lab::new().unwrap();
    lab.server().sysctl(parameter.0, parameter.1).unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let lost = lab.inject(&Fault::lost(Segment::Rst).first(1)).unwrap();
    let flags = "--source-port 40000 --port-policy pin --output jsonl";
    let flags = format!("{} {schedule} {flags}", listener.address());
    let done = run(&mut check_in(lab.client(), &flags));
    assert_eq!((done.code, lost.hits().unwrap()), (Some(0), 1), "{done:?}");
    let finding = |probe: &Value| probe["findings"][0].clone();
    let findings = done.probes().iter().map(finding).collect::<Vec<_>>();
    let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    findings.iter().map(|f| word(f, "verdict") + " " + &word(f, "proof")).collect()
}

#[test]
fn with_cookies_a_lost_rst_has_no_effect_and_is_not_reported() {
    privileged!();
    let cookies = ("net.ipv4.tcp_syncookies", "2");
    assert_eq!(verdicts(cookies, "--count 1"), ["clean confirmed"]);
    assert_eq!(verdicts(cookies, "--count 2 --interval 0"), ["clean confirmed"; 2]);
}

#[test]
fn without_retransmits_a_lost_rst_is_reported_only_where_a_probe_meets_the_stale_connection() {
    privileged!();
    let silent = ("net.ipv4.tcp_synack_retries", "0");
    assert_eq!(verdicts(silent, "--count 1"), ["clean confirmed"]);
    assert_eq!(
        verdicts(silent, "--count 2 --interval 0"),
        ["rst_lost_port_reuse confirmed", "stale_syn_recv_challenge_ack confirmed"]
    );
    // The server's timer has expired by then.
    assert_eq!(verdicts(silent, "--count 2 --interval 1800ms"), ["clean confirmed"; 2]);
}
