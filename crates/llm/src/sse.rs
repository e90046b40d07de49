//! Server-sent events, read as they come: bytes in, whole events out, however the network cut them.

/// More than any event of a model's stream: a longer line is not one.
const MAX_LINE: usize = 1 << 20;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    /// Its kind; empty if it names none.
    pub(crate) event: String,
    /// Its data, the lines of it joined.
    pub(crate) data: String,
}

/// Reads a stream of events.
#[derive(Debug, Default)]
pub(crate) struct SseReader {
    line: Vec<u8>,
    after_return: bool,
    pending: SseEvent,
    has_data: bool,
}

impl SseReader {
    /// Takes in the next bytes and gives the events they complete.
    ///
    /// # Errors
    /// Why the stream is not one of events.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>, String> {
        let mut events = Vec::new();
        for &byte in bytes {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    events.extend(self.end_of_line()?);
                }
                _ if self.line.len() >= MAX_LINE => {
                    return Err(format!("a line of the stream is longer than {MAX_LINE} bytes"));
                }
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The event that the end of the stream completes: one whose lines are whole and only the blank line is missing.
    pub(crate) fn finish(&mut self) -> Option<SseEvent> {
        if self.line.is_empty() { self.dispatch() } else { None }
    }

    fn end_of_line(&mut self) -> Result<Option<SseEvent>, String> {
        let bytes = std::mem::take(&mut self.line);
        if bytes.is_empty() {
            return Ok(self.dispatch());
        }
        let line = String::from_utf8(bytes).map_err(|_| "a line of the stream is not UTF-8".to_owned())?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line);
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.pending.event),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.pending.data.push('\n');
                }
                if self.pending.data.len() + value.len() > MAX_LINE {
                    return Err(format!("an event of the stream is longer than {MAX_LINE} bytes"));
                }
                self.pending.data.push_str(value);
            }
            // Comments, ids and times to reconnect after: nothing is done with them.
            _ => {}
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let event = std::mem::take(&mut self.pending);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let mut reader = SseReader::default();
        let mut events = Vec::new();
        for chunk in chunks {
            events.extend(reader.push(chunk).expect("a stream of events"));
        }
        events.extend(reader.finish());
        events
    }

    fn event(event: &str, data: &str) -> SseEvent {
        SseEvent { event: event.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn fields_comments_and_blank_lines_are_told_apart() {
        let stream = b"\xef\xbb\xbf: hello\n\nevent: a\ndata: 1\ndata:2\nid: 7\n\nevent: lost\n\ndata\n\n";
        assert_eq!(read(&[stream]), [event("a", "1\n2"), event("", "")]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line_but_whole_lines() {
        assert_eq!(read(&[b"data: [DONE]\n"]), [event("", "[DONE]")]);
        assert_eq!(read(&[b"data: {\"half"]), []);
    }

    #[test]
    fn what_is_not_utf8_or_endless_is_refused() {
        assert!(SseReader::default().push(b"data: \xff\xfe\n").is_err());
        let mut reader = SseReader::default();
        let endless = vec![b'x'; 64 << 10];
        let refused = (0..32).find_map(|_| reader.push(&endless).err()).expect("it is refused before 2 MiB");
        assert!(refused.contains("longer than 1048576 bytes"), "{refused}");
        let mut reader = SseReader::default();
        let lines = "data: 0123456789\n".repeat(100_000);
        assert!(reader.push(lines.as_bytes()).is_err(), "many lines are not a way around it");
    }

    proptest! {
        #[test]
        fn where_the_network_cuts_changes_nothing(
            texts in prop::collection::vec("[a-zé漢🦀 {}\":]{0,12}", 1..6),
            ending in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cuts in prop::collection::vec(0..400_usize, 0..12),
        ) {
            let stream: String =
                texts.iter().map(|text| format!("event: e{ending}data: {text}{ending}{ending}")).collect();
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let wanted: Vec<SseEvent> = texts.iter().map(|text| event("e", text)).collect();
            prop_assert_eq!(read(&chunks), wanted);
        }
    }
}
