using KTls;

namespace RekeyStress;

/// <summary>What all connections of a run share.</summary>
internal sealed class Run(Settings settings, Pattern pattern, Identity identity, string folder, bool kernelCanRekey, CancellationToken stopping)
{
    public Settings Settings => settings;

    public Pattern Pattern => pattern;

    public Identity Identity => identity;

    /// <summary>For files; deleted in the end.</summary>
    public string Folder => folder;

    /// <summary>Whether the kernel can change keys (Linux 6.14 or later).</summary>
    public bool KernelCanRekey => kernelCanRekey;

    /// <summary>No new steps are begun any more: what was begun is finished and checked.</summary>
    public bool IsStopping => stopping.IsCancellationRequested;

    public Totals Totals { get; } = new();

    /// <summary>KeyUpdates that count for <see cref="Settings.Updates"/>: each once.</summary>
    public long Updates => settings.Peer == PeerKind.Ourselves ? Totals.UpdatesSent : Totals.UpdatesSent + Totals.UpdatesReceived;

    public Findings Findings { get; } = new();

    public KernelUse KernelUse { get; } = new();

    /// <summary>What an end of ours adds to .NET's options.</summary>
    /// <param name="updates">Counts its KeyUpdates.</param>
    /// <param name="inUserSpace">Whether this process seals and opens; else who by default does.</param>
    public static KTlsOptions Options(KeyUpdateCount updates, bool inUserSpace) => new()
    {
        DataPlane = inUserSpace ? DataPlanePolicy.UserSpace : DataPlanePolicy.PreferKernel,
        LoggerFactory = updates,

        // The default lets a peer change its keys 64 times a second and once more for each 256 KiB of its data, for whoever floods a
        // server with KeyUpdates only wants it to be busy. Here the flood is the purpose.
        MaxKeyUpdatesPerSecond = 1_000_000,

        // A connection that was cut off must not look like one that ended.
        RequireCloseNotify = true,
    };
}
