//! The stable names of what a party did.

use super::Act;

impl Act {
    /// The stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::AnsweredLate { .. } => "answered_late",
            Self::AnsweredEarlierSyn { .. } => "answered_earlier_syn",
            Self::AnsweredAsWell { .. } => "answered_as_well",
            Self::AnsweredAnotherSyn { .. } => "answered_another_syn",
            Self::Refused { .. } => "refused",
            Self::Reset { .. } => "reset",
            Self::SentSyn => "sent_syn",
            Self::RetransmittedSynAck { .. } => "retransmitted_synack",
            Self::SentCopy { .. } => "sent_copy",
            Self::SentOtherSynAck => "sent_other_synack",
            Self::SentSegment { .. } => "sent_segment",
            Self::OfferedNoWindow => "offered_no_window",
            Self::SentIcmp(_) => "sent_icmp",
            Self::ReceivedSyn => "received_syn",
            Self::MissedRst => "missed_rst",
            Self::Held { .. } => "held",
            Self::SharedPort { .. } => "shared_port",
            Self::HoldsNothing => "holds_nothing",
            Self::MayStillHold => "may_still_hold",
            Self::StillHolds => "still_holds",
            Self::Accepted => "accepted",
            Self::MetConfirmation { .. } => "met_confirmation",
            Self::AnsweredLaterSyn => "answered_later_syn",
            Self::RefusedLaterSyn => "refused_later_syn",
            Self::LostSynOrAnswer => "lost_syn_or_answer",
            Self::SentUnacceptable { .. } => "sent_unacceptable",
            Self::TookLong { .. } => "took_long",
            Self::HasShortTimer { .. } => "has_short_timer",
            Self::AsksForEcn(_) => "asks_for_ecn",
            Self::RunsXdp { .. } => "runs_xdp",
            Self::KeptSynOnLoopback => "kept_syn_on_loopback",
            Self::SentRst => "sent_rst",
            Self::AnsweredWithRst => "answered_with_rst",
            Self::RetransmittedSyn { .. } => "retransmitted_syn",
            Self::FailedToSendSyn { .. } => "failed_to_send_syn",
            Self::KeptSyn => "kept_syn",
            Self::SentNoSyn => "sent_no_syn",
            Self::LeakedAck { .. } => "leaked_ack",
            Self::ActedUnexpectedly => "acted_unexpectedly",
            Self::Dropped { .. } => "dropped",
            Self::DroppedClose { .. } => "dropped_close",
            Self::RefusedItself => "refused_itself",
            Self::ReceivedNothing { .. } => "received_nothing",
            Self::ReceivedNoCopy { .. } => "received_no_copy",
            Self::ReportedError { .. } => "reported_error",
            Self::ReportedUnreachable { .. } => "reported_unreachable",
            Self::FailedToRun { .. } => "failed_to_run",
            Self::Redirected { .. } => "redirected",
            Self::Translates { .. } => "translates",
            Self::Missed(_) => "missed",
        }
    }
}
