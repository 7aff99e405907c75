//! Real servers on this machine, that write down what they are sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server was sent.
type Letters = Arc<Mutex<Vec<Letter>>>;

/// One request or one mail.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letter {
    /// The head: a request's line and headers, or what an SMTP client said.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Letter {
    /// Gives a header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Parses the body.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a JSON document")
    }
}

/// A server that goes with the test's process.
pub(crate) struct Server {
    port: u16,
    letters: Letters,
}

impl Server {
    /// Answers HTTP requests with these, in order, the last again and again: a status with headers,
    /// such as `429 Busy\r\nRetry-After: 1`; `slow` answers nothing for a while.
    pub(crate) fn http(answers: &'static [&'static str]) -> Self {
        let count = Mutex::new(0_usize);
        Server::serve(move |stream, letters| {
            let number = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count - 1
            };
            http(stream, letters, answers.get(number).or(answers.last()).unwrap())
        })
    }

    /// Takes mails by SMTP, without TLS; answers RCPT with this.
    pub(crate) fn smtp(recipient: &'static str) -> Self {
        Server::serve(move |stream, letters| smtp(stream, letters, recipient))
    }

    fn serve(answer: impl Fn(TcpStream, &Letters) -> Option<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let letters = Letters::default();
        let (kept, answer) = (Arc::clone(&letters), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (letters, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || answer(stream, &letters));
            }
        });
        Server { port, letters }
    }

    /// Gives the server's name and port.
    pub(crate) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Gives everything that was sent so far.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }
}

fn http(stream: TcpStream, letters: &Letters, answer: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut letter = Letter::default();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        letter.head.push_str(&line);
    }
    let length = letter.header("Content-Length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    letter.body = String::from_utf8(body).ok()?;
    letters.lock().unwrap().push(letter);
    if answer == "slow" {
        std::thread::sleep(Duration::from_secs(5));
    }
    let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    (&stream).write_all(head.as_bytes()).ok()
}

fn smtp(stream: TcpStream, letters: &Letters, recipient: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut letter = Letter::default();
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 test")?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            // Whoever hangs up without a mail is written down, too.
            letters.lock().unwrap().push(letter);
            return None;
        }
        letter.head.push_str(&line);
        let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        match word.as_str() {
            "EHLO" => say("250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN")?,
            "AUTH" => say("235 welcome")?,
            "RCPT" => say(recipient)?,
            "DATA" => {
                say("354 go on")?;
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    letter.body.push_str(&line);
                }
                letters.lock().unwrap().push(letter.clone());
                say("250 taken")?;
            }
            "QUIT" if letter.body.is_empty() => {
                letters.lock().unwrap().push(letter);
                return say("221 bye");
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 well")?,
        }
    }
}
