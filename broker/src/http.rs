//! The HTTP port: `/metrics`, `/healthz`, `/readyz`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::lag;
use crate::shell::Shell;

pub(crate) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(shell)
}

async fn metrics(State(shell): State<Arc<Shell>>) -> Result<impl IntoResponse, StatusCode> {
    let groups = lag::reports(&shell).await;
    // How old a record is stands in its log, which may have to be read.
    let text = tokio::task::spawn_blocking(move || shell.metrics.text(&shell, &groups)).await;
    text.map(|text| ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text))
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Ready is a node whose controller serves and whose disk takes records; partitions that are offline are named.
async fn ready(State(shell): State<Arc<Shell>>) -> (StatusCode, String) {
    if shell.node.controller().serving().is_none() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the controller does not serve\n".to_owned());
    }
    if let Err(refusal) = shell.node.check_space() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{refusal}\n"));
    }
    let offline: Vec<String> = shell
        .node
        .partitions()
        .into_iter()
        .filter_map(|partition| Some(format!("{}: {}", partition.key().clone(), partition.state().offline?)))
        .collect();
    if offline.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::OK, format!("ready, with offline partitions:\n{}\n", offline.join("\n")))
    }
}
