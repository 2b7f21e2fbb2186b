//! Flags and environment, as a table: the configuration they result in, or the error message.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write};

use otlp::{HostFacts, OtlpArgs, OtlpConfig, resource};

use probe_agent_tests::otlp::{config, config_of};

/// The configuration of a command line and an environment, or the error, in one line.
fn made(args: &str, env: &str) -> String {
    let args: Vec<&str> = args.split_whitespace().collect();
    let env: Vec<(&str, &str)> = env.lines().filter_map(|l| l.trim().split_once('=')).collect();
    let (config, ignored) = config_of(&args, &env);
    let mut made = String::new();
    for variable in ignored {
        writeln!(made, "{variable}").unwrap();
    }
    let config = match config {
        Ok(Some(config)) => config,
        Ok(None) => return made + "nothing",
        Err(error) => return made + &error.to_string(),
    };
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
    if config.queue != 65_536 {
        write!(made, " queue={}", config.queue).unwrap();
    }
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
    assert_eq!(generic("https://c/a/?k=v"), format!("https://c/a/v1/traces?***{http}"));
    assert_eq!(generic("http://c/v1/traces"), format!("http://c/v1/traces/v1/traces{http}"));
    assert_eq!(signal("http://c/a"), format!("http://c/a{http}"));
    assert_eq!(signal("http://c"), format!("http://c/{http}"));
    assert_eq!(flag("http://[::1]:4318/"), format!("http://[::1]:4318/v1/traces{http}"));
    assert_eq!(flag("http://c/v1/traces"), format!("http://c/v1/traces{http}"));
    assert_eq!(flag("http://c//"), format!("http://c/v1/traces{http}"));
    let sent = config(&["--otlp-endpoint", "https://c/a/?k=v"], &[]).unwrap().unwrap();
    assert_eq!(sent.endpoint.unwrap().url, "https://c/a/v1/traces?k=v", "it is sent as it is");
    let grpc = |url| made(&format!("--otlp-protocol grpc --otlp-endpoint {url}"), "");
    assert_eq!(grpc("http://c:4317/prefix/"), "http://c:4317/prefix/ (grpc) 10s");
}

#[test]
fn headers_are_decoded_and_client_certificates_come_in_pairs() {
    check(&[
        (
            "",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://c
             OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20eA==, x-team = a%2Cb,
             OTEL_EXPORTER_OTLP_TIMEOUT=2500
             OTEL_BSP_MAX_QUEUE_SIZE=7",
            "http://c/v1/traces (http/protobuf) authorization:Basic eA== x-team:a,b 2.5s queue=7",
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
            "--otlp-headers a=b,secret",
            "",
            "--otlp-headers: entry 2 is not key=value; separate entries by commas and write a \
             comma in a value as %2C",
        ),
    ]);
    assert_eq!(
        with("OTEL_EXPORTER_OTLP_CLIENT_KEY=k"),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY is set, but OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not; a \
         client certificate needs both"
    );
    for (url, environment, problem) in [
        (
            "http://[fe80::1]:4318",
            "",
            "a link-local address, which needs its interface, as in [fe80::1%25eth0]",
        ),
        (
            "http://[2001:db8::1%25eth0]",
            "",
            "an IPv6 zone, which only link-local addresses (fe80::/10) have",
        ),
        (
            "http://[fe80::1%25eth0]",
            "HTTP_PROXY=http://p:1",
            "an IPv6 zone, which means nothing to its proxy: add the address to NO_PROXY",
        ),
    ] {
        let found = made(&format!("--otlp-endpoint {url}"), environment);
        let expected =
            format!("--otlp-endpoint: {url:?} has {problem}; write it like http://localhost:4318");
        assert_eq!(found, expected);
    }
    let zone = "http://[fe80::1%25eth0]:4318/v1/traces (http/protobuf) 10s";
    for url in ["http://[fe80::1%25eth0]:4318", "http://[fe80::1%eth0]:4318"] {
        assert_eq!(made(&format!("--otlp-endpoint {url}"), ""), zone);
    }
    let query = made("--otlp-protocol grpc --otlp-endpoint http://c?token=secret", "");
    assert!(query.contains("has a query, which gRPC does not send"), "{query}");
    let proxy = with("HTTP_PROXY=socks5://p");
    assert!(proxy.starts_with("HTTP_PROXY: \"socks5://p\" is not an http:// URL"), "{proxy}");
}

#[test]
fn an_invalid_variable_counts_as_unset_and_is_reported_in_one_line() {
    let url = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c\n";
    let to_c = "http://c/v1/traces (http/protobuf) 10s";
    let timeout = "is not a timeout; write milliseconds above 0, e.g. 10000";
    for (variables, line, used) in [
        (
            "OTEL_EXPORTER_OTLP_TIMEOUT=10s",
            format!("OTEL_EXPORTER_OTLP_TIMEOUT: \"10s\" {timeout} (ignored: the default of 10s is used)"),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_TIMEOUT=0",
            format!("OTEL_EXPORTER_OTLP_TIMEOUT: \"0\" {timeout} (ignored: the default of 10s is used)"),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=18446744073709551615\nOTEL_EXPORTER_OTLP_TIMEOUT=5",
            format!(
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: \"18446744073709551615\" {timeout} (ignored: \
                 OTEL_EXPORTER_OTLP_TIMEOUT is used)"
            ),
            "http://c/v1/traces (http/protobuf) 5ms",
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
            "OTEL_EXPORTER_OTLP_PROTOCOL: protocol \"http/json\" is not supported; use grpc or \
             http/protobuf (ignored: the default of http/protobuf is used)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_COMPRESSION=zstd",
            "OTEL_EXPORTER_OTLP_COMPRESSION: compression \"zstd\" is not supported; use gzip or \
             none (ignored: requests are not compressed)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_INSECURE=1",
            "OTEL_EXPORTER_OTLP_INSECURE: \"1\" is neither true nor false (ignored: it counts as \
             false)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_SDK_DISABLED=yes",
            "OTEL_SDK_DISABLED: \"yes\" is neither true nor false (ignored: it counts as false)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_TRACES_EXPORTER=zipkin",
            "OTEL_TRACES_EXPORTER: exporter \"zipkin\" is not supported; use otlp or none (ignored: \
             spans go to the endpoint that is set)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_TRACES_EXPORTER=console, otlp",
            "OTEL_TRACES_EXPORTER: exporter \"console, otlp\" is not supported; use otlp or none \
             (ignored: only otlp is used)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS=a=b,secret",
            "OTEL_EXPORTER_OTLP_HEADERS: entry 2 is not key=value; separate entries by commas and \
             write a comma in a value as %2C (ignored: no header is sent)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS=a=b,authorization: Basic secret==",
            "OTEL_EXPORTER_OTLP_HEADERS: the name of header 2 is not valid in HTTP; write \
             name=value (ignored: no header is sent)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=%0A\nOTEL_EXPORTER_OTLP_HEADERS=c=d",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS: header \"a\" has a value with a character that HTTP \
             does not allow (ignored: OTEL_EXPORTER_OTLP_HEADERS is used)"
                .to_owned(),
            "http://c/v1/traces (http/protobuf) c:d 10s",
        ),
        (
            "OTEL_BSP_MAX_QUEUE_SIZE=0",
            "OTEL_BSP_MAX_QUEUE_SIZE: \"0\" is not a number from 1 to 10000000 (ignored: the default \
             of 65536 is used)"
                .to_owned(),
            to_c,
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS=content-length=5",
            "OTEL_EXPORTER_OTLP_HEADERS: header \"content-length\" is set by the agent itself \
             (ignored: no header is sent)"
                .to_owned(),
            to_c,
        ),
    ] {
        assert_eq!(made("", &format!("{url}{variables}")), format!("{line}\n{used}"));
    }
    let alone = made("", "OTEL_TRACES_EXPORTER=zipkin");
    assert!(alone.ends_with("no endpoint is set, so the environment requests no export)\nnothing"));
}

#[test]
fn a_flag_does_not_depend_on_an_invalid_variable() {
    let env = "OTEL_EXPORTER_OTLP_ENDPOINT=?\nOTEL_EXPORTER_OTLP_PROTOCOL=?
        OTEL_EXPORTER_OTLP_HEADERS=?\nOTEL_EXPORTER_OTLP_TIMEOUT=?";
    let flags =
        "--otlp-endpoint http://c --otlp-protocol grpc --otlp-headers a=b --otlp-timeout 1s";
    check(&[(flags, env, "http://c/ (grpc) a:b 1s")]);
}

#[test]
fn a_proxy_is_named_without_its_credentials() {
    let env = "HTTP_PROXY=http://me:secret@p:3128\nNO_PROXY=direct.example";
    check(&[
        (
            "--otlp-endpoint http://c:4318",
            env,
            "http://c:4318/v1/traces (http/protobuf, through the proxy http://p:3128/) 10s",
        ),
        (
            "--otlp-endpoint http://direct.example",
            env,
            "http://direct.example/v1/traces (http/protobuf) 10s",
        ),
        ("--otlp-endpoint http://localhost", env, "http://localhost/v1/traces (http/protobuf) 10s"),
        ("--otlp-endpoint https://c", env, "https://c/v1/traces (http/protobuf) 10s"),
    ]);
}

#[test]
fn no_message_about_a_setting_repeats_a_secret() {
    let values = [
        "http://me:secret@c:4318",
        "http://me:sec/secret@c:99999",
        "ftp://c/?token=secret",
        "c?secret",
        "http://c:0/#secret",
        "authorization=secret",
    ];
    let flags = ["--otlp-endpoint", "--otlp-protocol", "--otlp-timeout", "--otlp-headers"];
    let variables = [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_INSECURE",
        "OTEL_TRACES_EXPORTER",
        "OTEL_SDK_DISABLED",
        "HTTP_PROXY",
    ];
    for value in values {
        let of_flags = flags.map(|flag| (vec![flag, value], Vec::new()));
        let to_c = vec!["--otlp-endpoint", "http://c"];
        let of_variables = variables.map(|name| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => (Vec::new(), vec![(name, value)]),
            "OTEL_TRACES_EXPORTER" | "OTEL_SDK_DISABLED" => (Vec::new(), vec![(name, value)]),
            _ => (to_c.clone(), vec![(name, value)]),
        });
        for (args, env) in of_flags.into_iter().chain(of_variables) {
            let (config, ignored) = config_of(&args, &env);
            let mut printed = format!("{config:?} {ignored:?}");
            ignored.iter().for_each(|variable| write!(printed, "{variable}").unwrap());
            if let Err(error) = &config {
                write!(printed, "{error}").unwrap();
            }
            assert!(!printed.contains("secret"), "{args:?} {env:?}: {printed}");
        }
    }
}

#[test]
fn a_header_is_not_shown_where_a_configuration_is_printed() {
    let flags =
        ["--otlp-headers", "authorization=sesame", "--otlp-endpoint", "http://c/?token=sesame"];
    let config = config(&flags, &[("HTTP_PROXY", "http://me:sesame@p")]).unwrap().unwrap();
    assert!(!format!("{config:?}").contains("sesame"), "{config:?}");
    assert!(!config.endpoint.unwrap().to_string().contains("sesame"));
}

#[test]
fn every_variable_that_is_read_is_documented() {
    let documented = include_str!("../../docs/otlp.md");
    let read = RefCell::new(BTreeSet::new());
    let env = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        // Without a proxy, nothing is exempt from it.
        (name == "HTTP_PROXY").then(|| "http://p".to_owned())
    };
    let args = OtlpArgs { otlp_endpoint: Some("http://c".to_owned()), ..OtlpArgs::default() };
    for args in [args, OtlpArgs::default()] {
        OtlpConfig::new(&args, env, |_| {}).unwrap();
    }
    let facts = HostFacts::detect().unwrap();
    let _ = resource(env, &facts, |_| {});
    let read = read.into_inner();
    assert!(
        read.contains("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") && read.contains("NO_PROXY"),
        "{read:?}"
    );
    // Proxy variables are documented once for both cases, Kubernetes ones with and without their prefix.
    let names = read.iter().map(|name| name.to_uppercase());
    for name in names {
        let short = name.replace("OTEL_EXPORTER_OTLP_TRACES_", "_TRACES_");
        let short = short.trim_start_matches("K8S_");
        let known = [&*name, short].iter().any(|name| documented.contains(name));
        assert!(known, "{name}");
    }
}
