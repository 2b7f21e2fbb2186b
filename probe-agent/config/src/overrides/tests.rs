//! Flags and variables in, settings or lines out.

use super::{Layer, Overrides, keys, suspicious, variables};

fn read(flags: &[&str], environment: &[(&str, &str)]) -> Result<Overrides, String> {
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    let variable = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Overrides::new(&flags, variable).map_err(|problems| problems.to_string())
}

#[test]
fn flags_and_variables_set_any_key() {
    let overrides = read(
        &["interval=1s", "agent.limits.workers=2", "interval=3s", "ports=80,443"],
        &[
            ("PROBE_AGENT_INTERVAL", "7s"),
            ("PROBE_AGENT_HTTP_LISTEN", "[::1]:80"),
            ("PROBE_AGENT_OTLP_ENDPOINT", ""),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:4318"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ],
    )
    .unwrap();
    let [(_, flags), (_, environment)] = overrides.policy();
    assert_eq!(flags.interval.as_ref().unwrap().value.to_string(), "3s", "the last one counts");
    assert_eq!(flags.ports.as_ref().unwrap().value.to_string(), "80,443");
    assert_eq!(environment.interval.as_ref().unwrap().value.to_string(), "7s");
    let [(_, flags), (_, environment)] = overrides.agent();
    assert_eq!(flags.limits.workers.as_ref().unwrap().value.to_string(), "2");
    assert_eq!(environment.http.listen.as_ref().unwrap().value.to_string(), "[::1]:80");
    assert_eq!(environment.otlp.timeout.as_ref().unwrap().value.to_string(), "1500ms");
    for (layer, key, name) in [
        (Layer::Flag, "interval", Some("--set interval")),
        (Layer::Environment, "interval", Some("PROBE_AGENT_INTERVAL")),
        (Layer::Environment, "agent.otlp.endpoint", Some("OTEL_EXPORTER_OTLP_ENDPOINT")),
        (Layer::Environment, "settle", None),
        (Layer::Defaults, "interval", None),
    ] {
        assert_eq!(overrides.name(layer, key), name, "{layer} {key}");
    }
}

#[test]
fn what_is_wrong_names_the_flag_or_the_variable() {
    let lines = read(
        &["intervall=1s", "agent.http.lisen=x", "agent=x", "timeout", "rise=0", "agent.foo.bar=1"],
        &[("PROBE_AGENT_SETTLE", "5"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
    )
    .unwrap_err();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    let expected = [
        "--set agent.foo.bar: unknown key; 'config schema' lists them",
        "--set agent.http.lisen: unknown key; did you mean \"agent.http.listen\"?",
        "--set agent: unknown key; 'config schema' lists them",
        "--set intervall: unknown key; did you mean \"interval\"?",
        "--set rise: \"0\": write a whole number from 1 to 100",
        "--set timeout: write --set KEY=VALUE, e.g. --set interval=10s",
        "OTEL_EXPORTER_OTLP_PROTOCOL: \"http/json\": write one of grpc, http/protobuf",
        "PROBE_AGENT_SETTLE: \"5\": no unit: write 5s or 5ms",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn each_key_has_a_variable_of_its_own() {
    let mut names: Vec<String> = keys().flat_map(|key| variables(&key)).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two keys share a variable");
    for taken in ["LOG", "PORT", "BIN", "REQUIRE_PRIVILEGE"] {
        assert!(!names.contains(&format!("PROBE_AGENT_{taken}")), "{taken} has another meaning");
    }
}

#[test]
fn a_misspelt_variable_is_noticed() {
    for (name, meant) in [
        ("PROBE_AGENT_INTERVALL", Some("PROBE_AGENT_INTERVAL")),
        ("PROBE_AGENT_HTTP_LISTENER", Some("PROBE_AGENT_HTTP_LISTEN")),
        ("PROBE_AGENT_INTERVAL", None),
        ("PROBE_AGENT_PORT", None),
        ("PROBE_AGENT_PORT_9655_TCP_ADDR", None),
        ("PROBE_AGENT_SERVICE_HOST", None),
        ("PROBE_AGENT_LOG", None),
        ("PROBE_AGENT_BIN", None),
        ("PROBE_AGENT_REQUIRE_PRIVILEGE", None),
        ("INTERVALL", None),
    ] {
        assert_eq!(suspicious(name).as_deref(), meant, "{name}");
    }
}
