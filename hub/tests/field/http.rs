//! HTTP/1.1 as far as a link must read it: where a message ends, and what of the protocol is inside.

use langso_domain::id::{DeviceId, Key, ScopeId};
use langso_sync::frame::{Frame, KIND_CHANGES, KIND_STATE, Outer};
use langso_sync::state::StateFrame;
use langso_sync::wire::{Hello, ReplyEvent, ReplyReader, RequestEvent, RequestReader, SYNC_PATH};

/// Where the head of a message ends; none when it has not come whole.
pub fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// What has come of a message's body, and whether that is all of it.
pub fn body(bytes: &[u8]) -> (Vec<u8>, bool) {
    let Some(end) = head_end(bytes) else { return (Vec::new(), false) };
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let rest = &bytes[end..];
    if header(head, "transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked")) {
        return chunks(rest);
    }
    let length: usize = header(head, "content-length").map_or(0, |text| text.parse().unwrap());
    (rest[..rest.len().min(length)].to_vec(), rest.len() >= length)
}

fn chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else { return (body, false) };
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, rest.len() >= 2);
        }
        body.extend(&rest[..rest.len().min(size)]);
        if rest.len() < size + 2 {
            return (body, false);
        }
        rest = &rest[size + 2..];
    }
}

pub fn is_sync(request: &[u8]) -> bool {
    request.starts_with(format!("POST {SYNC_PATH} ").as_bytes())
}

/// What a request said and carried, as far as it came.
pub fn asked(request: &[u8]) -> (Option<Hello>, Vec<(ScopeId, Key)>) {
    let mut reader = RequestReader::new(u64::MAX);
    let (mut hello, mut keys) = (None, Vec::new());
    if is_sync(request) && reader.push(&body(request).0).is_ok() {
        while let Ok(Some(event)) = reader.next_event() {
            match event {
                RequestEvent::Auth(_) => {}
                RequestEvent::Hello(said) => hello = Some(said),
                RequestEvent::Frame(bytes) => {
                    let frame = opened(&bytes);
                    keys.extend(frame.changes().map(|one| (frame.header.scope, one.head.key)));
                }
            }
        }
    }
    (hello, keys)
}

/// Who signed the frames of a request.
pub fn signers(request: &[u8]) -> Vec<DeviceId> {
    sent(request, |frame| frame.key_id())
}

/// The kinds of the frames of a request.
pub fn kinds(request: &[u8]) -> Vec<u8> {
    sent(request, |frame| frame.kind())
}

fn sent<T>(request: &[u8], of: impl Fn(Outer<'_>) -> T) -> Vec<T> {
    let mut reader = RequestReader::new(u64::MAX);
    let mut found = Vec::new();
    if is_sync(request) && reader.push(&body(request).0).is_ok() {
        while let Ok(Some(event)) = reader.next_event() {
            if let RequestEvent::Frame(bytes) = event {
                found.push(of(Outer::whole(&bytes).unwrap()));
            }
        }
    }
    found
}

/// The frames of changes of a reply, as far as they came.
pub fn served(reply: &[u8]) -> Vec<Frame> {
    frames(reply, KIND_CHANGES).iter().map(|bytes| opened(bytes)).collect()
}

/// The frames of state of a reply, as far as they came.
pub fn states(reply: &[u8]) -> Vec<StateFrame> {
    let opened = |bytes: &Vec<u8>| StateFrame::open(&Outer::whole(bytes).unwrap()).unwrap();
    frames(reply, KIND_STATE).iter().map(opened).collect()
}

fn frames(reply: &[u8], kind: u8) -> Vec<Vec<u8>> {
    let mut reader = ReplyReader::default();
    reader.push(&body(reply).0);
    let mut frames = Vec::new();
    while let Ok(Some(event)) = reader.next_event() {
        if let ReplyEvent::Frame(bytes) = event
            && Outer::whole(&bytes).unwrap().kind() == kind
        {
            frames.push(bytes);
        }
    }
    frames
}

fn opened(bytes: &[u8]) -> Frame {
    Outer::whole(bytes).unwrap().open().unwrap()
}
