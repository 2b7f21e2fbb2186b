//! The formats are excerpts of real ones.

use super::Format;

const RESET_6_18: &str = "name: tcp_send_reset
ID: 2280
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

\tfield:const void * skbaddr;\toffset:8;\tsize:8;\tsigned:0;
\tfield:int state;\toffset:24;\tsize:4;\tsigned:1;
\tfield:enum sk_rst_reason reason;\toffset:28;\tsize:4;\tsigned:0;
\tfield:__u8 saddr[28];\toffset:32;\tsize:28;\tsigned:0;

print fmt: \"src=%pISpc state=%s reason=%s\", REC->saddr, REC->state ? __print_symbolic(REC->state, { TCP_ESTABLISHED, \"TCP_ESTABLISHED\" }) : \"UNKNOWN\", __print_symbolic(REC->reason, { 0, \"NOT_SPECIFIED\" }, { 1, \"NO_SOCKET\" }, { 14, \"TCP_STATE\" })
";

#[test]
fn fields_are_found_by_name_whatever_their_type() {
    let format = Format::parse(RESET_6_18);
    assert_eq!(format.offset("skbaddr"), Some(8));
    assert_eq!(format.offset("reason"), Some(28));
    assert_eq!((format.offset("saddr"), format.size("saddr")), (Some(32), Some(28)));
    assert_eq!(format.offset("sport"), None);
}

#[test]
fn symbols_are_those_of_the_field_asked_for() {
    let format = Format::parse(RESET_6_18);
    let reasons = format.symbols("reason");
    assert_eq!(reasons.len(), 3);
    assert_eq!(reasons[&1], "NO_SOCKET");
    assert!(format.symbols("state").is_empty(), "names in place of numbers are no table");
    assert!(format.symbols("skbaddr").is_empty());
}

#[test]
fn what_is_no_format_file_has_no_fields() {
    for text in ["", "field:", "field:int x;offset:a;size:4", "print fmt: \"\""] {
        assert_eq!(Format::parse(text).offset("x"), None);
    }
}
