//! Takes connections in, as many as the limits allow.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::connection;
use crate::shell::{Peer, Shell};

/// Accepts until the node stops.
pub(crate) async fn accept(listener: TcpListener, shell: Arc<Shell>, mut stopping: watch::Receiver<bool>) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        match accepted {
            Ok((stream, address)) => {
                let Some(place) = Place::take(&shell, &open, address.ip()) else {
                    tracing::warn!(client = %address, "closed: too many connections");
                    continue;
                };
                prepare(&stream, address.ip());
                let (shell, stopping) = (Arc::clone(&shell), stopping.clone());
                tokio::spawn(async move {
                    connection::serve(stream, shell, Peer(address), stopping).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: those who are here go on, and accepting tries again.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection's place among those that are allowed.
struct Place {
    shell: Arc<Shell>,
    open: Arc<AtomicUsize>,
    address: IpAddr,
}

impl Place {
    fn take(shell: &Arc<Shell>, open: &Arc<AtomicUsize>, address: IpAddr) -> Option<Self> {
        if open.load(Ordering::Acquire) >= shell.config.max_connections {
            return None;
        }
        let address = counted_as(address);
        let mut per_address = shell.per_address.lock();
        let count = per_address.entry(address).or_default();
        if *count >= shell.config.max_connections_per_ip {
            return None;
        }
        *count += 1;
        open.fetch_add(1, Ordering::AcqRel);
        shell.metrics.connections.fetch_add(1, Ordering::Relaxed);
        Some(Self { shell: Arc::clone(shell), open: Arc::clone(open), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.shell.metrics.connections.fetch_sub(1, Ordering::Relaxed);
        let mut per_address = self.shell.per_address.lock();
        if let Some(count) = per_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(&self.address);
            }
        }
    }
}

/// Whom a connection is counted for: an IPv6 host has a whole /64 to choose from, and an IPv4 host may come in either form.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// No delay for small responses; on loopback the congestion control that costs least. Neither is needed to serve.
fn prepare(stream: &TcpStream, address: IpAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    if address.is_loopback()
        && let Err(error) = rustix::net::sockopt::set_tcp_congestion(stream, "cubic")
    {
        tracing::debug!(%error, "cannot choose the congestion control of a loopback connection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_counted_once_whatever_address_it_chooses() {
        for (address, counted) in [
            ("10.1.2.3", "10.1.2.3"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::"),
            ("2001:db8:1:2::1", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ] {
            let parsed = |text: &str| text.parse::<IpAddr>().expect("an address");
            assert_eq!(counted_as(parsed(address)), parsed(counted), "{address}");
        }
    }
}
