//! The real program in folders of its own: what a person types, what comes back, and how it ends.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// What a run said and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output of a run that must end well.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// The errors of a run that must end with that code.
    pub fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }
}

/// The program, untouched by whatever the tester's environment says.
pub fn langso() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_langso"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LANGSO_")) {
        command.env_remove(name);
    }
    command
}

/// A folder, and the program run in it.
pub struct Desk {
    pub folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// With that on standard input.
    pub fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut command = langso();
        command.args(args).current_dir(self.folder.path());
        finish(command, input)
    }

    /// The program's answer to one call, which must not be an error.
    pub fn call(&self, phone: &str, name: &str, input: &str) -> serde_json::Value {
        let text = self.run_with(&["phone", "--at", phone, "call", name], input).ok();
        serde_json::from_str(&text).expect("JSON")
    }
}

pub fn finish(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("an input");
    // A program that reads nothing may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let done = child.wait_with_output().expect("it ends");
    Ran {
        code: done.status.code().expect("a code"),
        out: String::from_utf8(done.stdout).expect("UTF-8"),
        err: String::from_utf8(done.stderr).expect("UTF-8"),
    }
}

/// A hub that serves on a free port.
pub struct Serving {
    child: Child,
    pub url: String,
    pub greeting: serde_json::Value,
}

impl Serving {
    pub fn start(desk: &Desk, args: &[&str]) -> Self {
        Self::start_with(desk, args, &[])
    }

    pub fn start_with(desk: &Desk, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = langso();
        command.args(["serve", "--json"]).args(args).envs(environment.iter().copied());
        command.current_dir(desk.folder.path()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("an output");
        BufReader::new(out).read_line(&mut line).expect("a greeting");
        let greeting: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let url = greeting["address"].as_str().expect("an address").to_owned();
        Self { child, url, greeting }
    }

    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("an address")
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    }

    /// Its exit code and its log.
    pub fn wait(mut self) -> (i32, String) {
        let mut log = String::new();
        self.child.stderr.take().expect("a log").read_to_string(&mut log).expect("UTF-8");
        (self.child.wait().expect("it ends").code().expect("a code"), log)
    }

    pub fn stop(self) -> (i32, String) {
        self.terminate();
        self.wait()
    }

    /// The status line of a plain request.
    pub fn get(&self, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.address()).expect("connects");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n").expect("asks");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("answers");
        line.trim().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Whatever a failed test leaves behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A hub with a team of a lead and a member, made by the operator's verbs; serving.
pub struct Hub {
    pub desk: Desk,
    pub serving: Serving,
}

impl Hub {
    pub fn start() -> Self {
        let desk = Desk::new();
        let admin = |args: &[&str]| desk.run(&[&["admin", "--at", "hub"], args].concat()).ok();
        admin(&["init"]);
        admin(&["place", "add", "06838"]);
        admin(&[
            "team",
            "add",
            "--name",
            "Tổ thôn Ngàn Chi",
            "--kind",
            "hamlet",
            "--unit",
            "06838",
            "--founded",
            "2022-05-12",
            "--hamlet",
            "Thôn Ngàn Chi:104:tay:g2",
        ]);
        for (name, role) in [("Hoàng Thị Đượm", "lead"), ("Chìu Sám Múi", "member")] {
            admin(&[
                "member",
                "add",
                "--team",
                "Ngàn Chi",
                "--name",
                name,
                "--role",
                role,
                "--from",
                "2022-05-12",
            ]);
        }
        admin(&[
            "plan",
            "add",
            "--place",
            "06838",
            "--name",
            "Kế hoạch 3",
            "--from",
            "2022-01-01",
            "--to",
            "2199-12-31",
        ]);
        let serving = Serving::start(&desk, &["--data", "hub", "--listen", "127.0.0.1:0"]);
        Self { desk, serving }
    }

    /// An invitation for a member.
    pub fn invite(&self, member: &str) -> String {
        let args =
            ["admin", "--at", "hub", "code", "--plain", "--team", "Ngàn Chi", "--member", member, "--url"];
        self.desk.run(&[&args[..], &[&self.serving.url]].concat()).ok().trim().to_owned()
    }

    /// A phone of a member, in the team.
    pub fn enrol(&self, phone: &str, member: &str) {
        let invite = self.invite(member);
        self.desk.run_with(&["phone", "--at", phone, "enrol", "-"], &invite).ok();
    }

    /// A verb of a phone, which must end well.
    pub fn phone(&self, phone: &str, args: &[&str]) -> String {
        self.desk.run(&[&["phone", "--at", phone], args].concat()).ok()
    }
}

/// Every file of a folder with its bytes.
pub fn files(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    files.map(|entry| (entry.path(), std::fs::read(entry.path()).expect("bytes"))).collect()
}

/// The last word of a line: ids stand there.
pub fn last_word(line: &str) -> &str {
    line.split_whitespace().last().expect("a word")
}
