//! `operator`: watches a distributed system, explains what breaks and, as far as it is allowed to, mends it.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // Diagnostics go to standard error, results to standard output.
    let filter = EnvFilter::try_from_env("OPERATOR_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let ansi = colour && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| operator_cli::output::diagnostics::Diagnostics)
        .with_ansi(ansi)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("operator: cannot start: {error}");
            return ExitCode::from(1);
        }
    };
    let code = runtime.block_on(operator_cli::main());
    // Whatever still runs in the background has been told to end, and is not waited for.
    runtime.shutdown_background();
    ExitCode::from(code)
}
