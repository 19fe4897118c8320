namespace KTls;

/// <summary>
/// What happens when a peer asks for new keys of ours (KeyUpdate with update_requested, RFC 8446 §4.6.3) and the kernel, which seals,
/// cannot change them.
/// </summary>
public enum UpdateRequestWithoutRekey
{
    /// <summary>
    /// The old key serves on, far below what it may seal (<see cref="KTlsOptions.MaxBytesPerKey"/>), and a warning is logged once. No peer
    /// is known to insist; by the letter of the RFC the update should precede our next data.
    /// </summary>
    KeepKeys,

    /// <summary>
    /// No more data: the next write sends close_notify and fails with a <see cref="KeyUpdateUnavailableException"/>. Reading goes on.
    /// </summary>
    Close,
}
