namespace KTls;

/// <content>How long keys live.</content>
public sealed partial class KTlsOptions
{
    private long _rekeyAfterRecords = 1L << 22;
    private long _rekeyAfterBytes = 1L << 36;
    private long? _maxBytesPerKey;
    private int _maxKeyUpdatesPerSecond = 64;

    /// <summary>
    /// After so many records, from 16 to 4,194,304, the keys for sending change by themselves (KeyUpdate, TLS 1.3), and a peer that has
    /// sent so many is asked to change its own. Records are counted without asking the kernel, so a change can come early, with
    /// sendfile after a quarter of them. Default: 4,194,304, a sixth of what AES-GCM is safe for (RFC 8446 §5.5).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long RekeyAfterRecords
    {
        get => _rekeyAfterRecords;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 16);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1L << 22);
            _rekeyAfterRecords = value;
        }
    }

    /// <summary>As <see cref="RekeyAfterRecords"/>, but by bytes of content: from 65,536 to 2^36 (64 GiB). Default: 64 GiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long RekeyAfterBytes
    {
        get => _rekeyAfterBytes;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1L << 16);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1L << 36);
            _rekeyAfterBytes = value;
        }
    }

    /// <summary>
    /// What one key of ours seals at most where keys cannot change: in TLS 1.2, and in TLS 1.3 on a kernel without rekey. In bytes of content,
    /// with 48 on top for each record, from 1 MiB. Before a write that would exceed it, the connection ends with close_notify and the write
    /// fails with a <see cref="KeyUpdateUnavailableException"/>. Default, null: what the cipher is safe for, namely 256 GiB with AES-GCM
    /// (2^24 full records of the 2^24.5 of RFC 8446 §5.5), 64 GiB with AES-CCM, no limit with ChaCha20-Poly1305. A peer may seal half as
    /// much again as this default, whatever is set here.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public long? MaxBytesPerKey
    {
        get => _maxBytesPerKey;
        set
        {
            if (value is { } bytes)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1L << 20);
            }

            _maxBytesPerKey = value;
        }
    }

    /// <summary>
    /// How often a peer may change its keys, from 1 to 1,000,000 times a second on the average; each 256 KiB of its data permit one more. A peer
    /// that floods us with KeyUpdates gets the alert unexpected_message. Default: 64.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of bounds.</exception>
    public int MaxKeyUpdatesPerSecond
    {
        get => _maxKeyUpdatesPerSecond;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1_000_000);
            _maxKeyUpdatesPerSecond = value;
        }
    }

    /// <summary>
    /// Who opens records where the kernel cannot change keys. Default: <see cref="ReceiveWithoutRekey.UserSpace"/>, except with
    /// <see cref="DataPlanePolicy.RequireKernel"/>, which is always <see cref="ReceiveWithoutRekey.Kernel"/>. Whether it can is tried
    /// once per process and cipher, on a connection of KTls' own.
    /// </summary>
    public ReceiveWithoutRekey ReceiveWithoutRekey { get; set; } = ReceiveWithoutRekey.UserSpace;

    /// <summary>What a peer gets that asks for new keys of ours where the kernel cannot change them. Default: <see cref="UpdateRequestWithoutRekey.KeepKeys"/>.</summary>
    public UpdateRequestWithoutRekey UpdateRequestWithoutRekey { get; set; } = UpdateRequestWithoutRekey.KeepKeys;
}
