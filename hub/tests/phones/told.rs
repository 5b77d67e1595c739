//! What a listener is told of a sync: also that it has ended, however it ends.

use std::sync::Arc;

use langso_device::companion::{Changed, Listener, SyncNow, SyncProgress};
use langso_domain::registry::Role;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::field::Field;

struct Ear(UnboundedSender<Changed>);

impl Listener for Ear {
    fn changed(&self, changed: Changed) {
        // Whoever no longer wants to know has let go of the other end.
        let _ = self.0.send(changed);
    }
}

/// Waits for the telling that the sync has ended.
async fn end(told: &mut UnboundedReceiver<Changed>) -> SyncProgress {
    loop {
        let changed = told.recv().await.expect("is told");
        if let Some(ended) = changed.sync.filter(|sync| !sync.is_running) {
            return ended;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_telling_of_a_sync_counts_what_still_waits() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    let (ear, mut told) = unbounded_channel();
    let app = phone.app();
    let _watching = app.watch(Arc::new(Ear(ear))).unwrap();
    app.sync().sync_now(SyncNow::default()).await.unwrap();
    let ended = end(&mut told).await;
    assert_eq!(ended.waiting, 0);
    assert!(ended.bytes_up > 0 && ended.bytes_down > 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_given_up_is_told_as_ended() {
    let field = Field::start().await;
    let team = field.found("Tổ thôn Ngàn Chi");
    let mut phone = field.phone(&team, "Chíu Sám Múi", Role::Member).await;
    phone.sync().await.unwrap();
    phone.household("Hộ 12");
    // A new start of the app has no line yet; this one takes it and never answers.
    phone.close();
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    phone.link.point_to(silent.local_addr().unwrap());
    let (ear, mut told) = unbounded_channel();
    let app = phone.app();
    let _watching = app.watch(Arc::new(Ear(ear))).unwrap();
    let sync = app.sync();
    tokio::select! {
        ended = sync.sync_now(SyncNow::default()) => panic!("{ended:?} from a line that says nothing"),
        line = silent.accept() => drop(line.unwrap()),
    }
    assert_eq!(end(&mut told).await.waiting, 1);
}
