//! Accepting connections, and having them end when the process is to stop. Both roles do it alike.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

pub type Failure = Box<dyn Error + Send + Sync>;

/// Tells a connection that the process is to stop, and the process that the connection has ended.
pub type Stopping = watch::Receiver<()>;

/// Serves each connection in a task of its own until `stopped`, then waits for those that are open, but not for long.
pub async fn accept<Served>(
    listener: TcpListener,
    stopped: impl Future<Output = ()>,
    serve: impl Fn(TcpStream, Stopping) -> Served,
) where
    Served: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let (stop, stopping) = watch::channel(());
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((tcp, _)) => {
                    let served = serve(tcp, stopping.clone());
                    tokio::spawn(async move {
                        if let Err(failure) = served.await {
                            eprintln!("connection: {failure}");
                        }
                    });
                }
                Err(failure) => {
                    // Out of file descriptors, most likely: one of them may be free a little later.
                    eprintln!("accept: {failure}");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stopped => {}
    }
    drop(stopping);
    // Without receivers there is nobody to tell; whoever is late is cut off with the process.
    let _ = stop.send(());
    let _ = timeout(SHUTDOWN_TIMEOUT, stop.closed()).await;
}

/// Drives an HTTP connection. When the process is to stop it finishes the requests that have begun, and ends.
pub async fn drive<C: GracefulConnection>(connection: C, mut stopping: Stopping) -> Result<(), Failure>
where
    Failure: From<C::Error>,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
