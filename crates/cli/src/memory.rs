//! How the process takes memory from the machine.

/// Has the kernel hand out memory in pages of 4 KiB and never of 2 MiB, for this process and those
/// that it starts.
///
/// With huge pages, one byte touched holds 2 MiB: a run of 40 MiB took 80 (decision 0005). The
/// allocator is built not to ask for them; machines set to `always` give them unasked.
pub(crate) fn take_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        // Kernels built without them say so: nothing to switch off.
        tracing::debug!(%error, "huge pages stay as they are");
    }
}
