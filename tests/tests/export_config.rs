//! Flags and environment, as a table: the configuration they result in, or the error message.

use std::fmt::Write;

use probe_agent_tests::otlp::config;

/// The configuration of a command line and an environment, or the error, in one line.
fn made(args: &str, env: &str) -> String {
    let args: Vec<&str> = args.split_whitespace().collect();
    let env: Vec<(&str, &str)> = env.lines().filter_map(|l| l.trim().split_once('=')).collect();
    let config = match config(&args, &env) {
        Ok(Some(config)) => config,
        Ok(None) => return "nothing".into(),
        Err(error) => return error.to_string(),
    };
    let mut made = String::new();
    if let Some(endpoint) = &config.endpoint {
        write!(made, "{endpoint}").unwrap();
        for (name, value) in &endpoint.headers {
            write!(made, " {name}:{}", value.to_str().unwrap()).unwrap();
        }
        if endpoint.gzip {
            made.push_str(" gzip");
        }
        if let Some(path) = &endpoint.tls.trusted {
            write!(made, " trusted={}", path.display()).unwrap();
        }
        if let Some((chain, key)) = &endpoint.tls.identity {
            write!(made, " identity={},{}", chain.display(), key.display()).unwrap();
        }
    }
    if let Some(path) = &config.file {
        write!(made, " file={}", path.display()).unwrap();
    }
    write!(made, " {:?}", config.timeout).unwrap();
    assert_eq!(config.queue, 65_536);
    made.trim_start().to_owned()
}

fn check(table: &[(&str, &str, &str)]) {
    for (args, env, expected) in table {
        assert_eq!(made(args, env), *expected, "flags {args:?}, environment {env:?}");
    }
}

#[test]
fn nothing_is_exported_unless_requested() {
    check(&[
        ("", "", "nothing"),
        ("--otlp-timeout 1s", "", "nothing"),
        ("", "OTEL_EXPORTER_OTLP_ENDPOINT=", "nothing"),
        ("", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "nothing"),
        ("", "OTEL_TRACES_EXPORTER=none\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "nothing"),
        ("", "OTEL_SDK_DISABLED=TRUE\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c", "nothing"),
        (
            "",
            "OTEL_SDK_DISABLED=yes\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c",
            "http://c/v1/traces (http/protobuf) 10s",
        ),
        ("", "OTEL_TRACES_EXPORTER=otlp", "http://localhost:4318/v1/traces (http/protobuf) 10s"),
        ("--otlp-protocol grpc", "", "http://localhost:4317/ (grpc) 10s"),
        ("--otlp-file f", "", "file=f 10s"),
        (
            "--otlp-file f",
            "OTEL_SDK_DISABLED=true\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c",
            "file=f 10s",
        ),
        (
            "--otlp-endpoint http://d",
            "OTEL_SDK_DISABLED=true\nOTEL_TRACES_EXPORTER=none",
            "http://d/v1/traces (http/protobuf) 10s",
        ),
        (
            "--otlp-file f",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://c",
            "http://c/v1/traces (http/protobuf) file=f 10s",
        ),
    ]);
}

#[test]
fn a_flag_wins_over_the_signals_variable_and_that_over_the_generic_one() {
    let all = "OTEL_EXPORTER_OTLP_ENDPOINT=http://generic
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://signal
        OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc
        OTEL_EXPORTER_OTLP_HEADERS=h=generic
        OTEL_EXPORTER_OTLP_TRACES_HEADERS=h=signal
        OTEL_EXPORTER_OTLP_TIMEOUT=1
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=2
        OTEL_EXPORTER_OTLP_COMPRESSION=none
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=gzip
        OTEL_EXPORTER_OTLP_CERTIFICATE=a
        OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=b";
    let flags = "--otlp-endpoint http://flag --otlp-protocol http/protobuf --otlp-headers h=flag \
        --otlp-timeout 3ms";
    let generic = all.lines().filter(|l| !l.contains("_TRACES_")).collect::<Vec<_>>().join("\n");
    check(&[
        ("", &generic, "http://generic/v1/traces (http/protobuf) h:generic trusted=a 1ms"),
        ("", all, "http://signal/ (grpc) h:signal gzip trusted=b 2ms"),
        (flags, all, "http://flag/v1/traces (http/protobuf) h:flag gzip trusted=b 3ms"),
    ]);
}

#[test]
fn a_path_is_appended_where_the_specification_says_so() {
    let generic = |url: &str| made("", &format!("OTEL_EXPORTER_OTLP_ENDPOINT={url}"));
    let signal = |url: &str| made("", &format!("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={url}"));
    let flag = |url: &str| made(&format!("--otlp-endpoint {url}"), "");
    let http = " (http/protobuf) 10s";
    assert_eq!(generic("http://c:4318"), format!("http://c:4318/v1/traces{http}"));
    assert_eq!(generic("https://c/a/?k=v"), format!("https://c/a/v1/traces?k=v{http}"));
    assert_eq!(generic("http://c/v1/traces"), format!("http://c/v1/traces/v1/traces{http}"));
    assert_eq!(signal("http://c/a"), format!("http://c/a{http}"));
    assert_eq!(signal("http://c"), format!("http://c/{http}"));
    assert_eq!(flag("http://[::1]:4318/"), format!("http://[::1]:4318/v1/traces{http}"));
    assert_eq!(flag("http://c/v1/traces"), format!("http://c/v1/traces{http}"));
}

#[test]
fn headers_are_decoded_and_client_certificates_come_in_pairs() {
    check(&[
        (
            "",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://c
             OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20eA==, x-team = a%2Cb,
             OTEL_EXPORTER_OTLP_TIMEOUT=2500",
            "http://c/v1/traces (http/protobuf) authorization:Basic eA== x-team:a,b 2.5s",
        ),
        (
            "--otlp-protocol grpc --otlp-endpoint https://c:1 --otlp-timeout 2m",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=c\nOTEL_EXPORTER_OTLP_CLIENT_KEY=k",
            "https://c:1/ (grpc) identity=c,k 120s",
        ),
        (
            "--otlp-protocol grpc --otlp-endpoint c:4317",
            "OTEL_EXPORTER_OTLP_INSECURE=true",
            "http://c:4317/ (grpc) 10s",
        ),
        (
            "--otlp-protocol grpc --otlp-endpoint c:4317",
            "OTEL_EXPORTER_OTLP_INSECURE=false",
            "https://c:4317/ (grpc) 10s",
        ),
        (
            "--otlp-protocol grpc --otlp-endpoint http://c:4317",
            "OTEL_EXPORTER_OTLP_INSECURE=false",
            "http://c:4317/ (grpc) 10s",
        ),
    ]);
}

#[test]
fn invalid_settings_are_reported_in_one_line_with_the_remedy() {
    let url = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c\n";
    let with = |line: &str| made("", &format!("{url}{line}"));
    check(&[
        (
            "--otlp-endpoint collector",
            "",
            "--otlp-endpoint: \"collector\" does not start with http:// or https://; write it like \
             http://localhost:4318",
        ),
        (
            "--otlp-endpoint c:4317 --otlp-protocol grpc",
            "",
            "--otlp-endpoint: \"c:4317\" does not start with http:// or https://; write it like \
             http://localhost:4317",
        ),
        (
            "--otlp-endpoint ftp://c",
            "",
            "--otlp-endpoint: \"ftp://c\" is neither http:// nor https://; write it like \
             http://localhost:4318",
        ),
        (
            "--otlp-endpoint http://c:99999",
            "",
            "--otlp-endpoint: \"http://c:99999\" has an invalid port; write it like \
             http://localhost:4318",
        ),
        (
            "",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=not a url",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: \"not a url\" is not a URL; write it like \
             http://localhost:4318",
        ),
        (
            "--otlp-endpoint /tmp/socket",
            "",
            "--otlp-endpoint: \"/tmp/socket\" is not a URL with a host; write it like \
             http://localhost:4318",
        ),
        (
            "--otlp-endpoint http://me:secret@c",
            "",
            "--otlp-endpoint: credentials in the URL are not sent; give them as a header, e.g. \
             OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20...",
        ),
        (
            "--otlp-protocol http/json",
            "",
            "--otlp-protocol: protocol \"http/json\" is not supported; use grpc or http/protobuf",
        ),
        (
            "--otlp-endpoint http://c --otlp-timeout 10",
            "",
            "--otlp-timeout: \"10\" is not a timeout; write a number and its unit, e.g. 10s or 500ms",
        ),
        (
            "",
            "OTEL_TRACES_EXPORTER=zipkin",
            "OTEL_TRACES_EXPORTER: exporter \"zipkin\" is not supported; use otlp or none",
        ),
        (
            "--otlp-headers a=b,secret",
            "",
            "--otlp-headers: entry 2 is not key=value; separate entries by commas and write a \
             comma in a value as %2C",
        ),
    ]);
    for bad in [
        "OTEL_EXPORTER_OTLP_TIMEOUT=10s",
        "OTEL_EXPORTER_OTLP_TIMEOUT=0",
        "OTEL_EXPORTER_OTLP_TIMEOUT=18446744073709551615",
    ] {
        assert!(with(bad).ends_with("is not a timeout; write milliseconds above 0, e.g. 10000"));
    }
    assert_eq!(
        with("OTEL_EXPORTER_OTLP_COMPRESSION=zstd"),
        "OTEL_EXPORTER_OTLP_COMPRESSION: compression \"zstd\" is not supported; use gzip or none"
    );
    assert_eq!(
        with("OTEL_EXPORTER_OTLP_CLIENT_KEY=k"),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY is set, but OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not; a \
         client certificate needs both"
    );
    assert_eq!(
        with("OTEL_EXPORTER_OTLP_HEADERS=a b=c"),
        "OTEL_EXPORTER_OTLP_HEADERS: header \"a b\" is not a valid HTTP header name"
    );
    assert_eq!(
        with("OTEL_EXPORTER_OTLP_HEADERS=a=%0A"),
        "OTEL_EXPORTER_OTLP_HEADERS: header \"a\" has a value with a character that HTTP does not \
         allow"
    );
}

#[test]
fn a_header_is_not_shown_where_a_configuration_is_printed() {
    let config = config(&["--otlp-headers", "authorization=sesame"], &[]).unwrap().unwrap();
    assert!(!format!("{config:?}").contains("sesame"));
}
