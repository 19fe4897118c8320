using System.Diagnostics.Metrics;

namespace KTls.Diagnostics;

/// <summary>
/// What can be counted and measured from outside (System.Diagnostics.Metrics, the meter "KTls"). Names are in the manner of
/// OpenTelemetry; every attribute has a handful of values, known beforehand. docs/OPERATIONS.md lists them.
/// </summary>
/// <remarks>Without a listener a call allocates nothing: the values of attributes are constant strings.</remarks>
internal static class Instruments
{
    public const string Name = "KTls";

    private const string Direction = "network.io.direction";
    private const string Plane = "ktls.data_plane";

    private static readonly Meter Meter = new(Name, typeof(Instruments).Assembly.GetName().Version?.ToString());

    private static readonly Counter<long> Fallbacks = Meter.CreateCounter<long>(
        "ktls.fallbacks", "{fallback}", "Connections that SslStream serves, and directions that user space serves, by why it is not the kernel.");

    private static readonly Counter<long> DataPlanes = Meter.CreateCounter<long>(
        "ktls.data_planes", "{direction}", "Who seals and opens, chosen at the end of the handshake, once for each direction.");

    private static readonly Counter<long> KeyUpdates = Meter.CreateCounter<long>(
        "ktls.key_updates", "{key_update}", "KeyUpdate messages of TLS 1.3, sent and received.");

    private static readonly Counter<long> KernelErrors = Meter.CreateCounter<long>(
        "ktls.kernel.errors", "{error}", "System calls on connections that failed, by call and errno.");

    private static readonly long[] Active = new long[2];

    /// <summary>How long handshakes take; its count is their number.</summary>
    public static Histogram<double> HandshakeDuration { get; } = Meter.CreateHistogram(
        "ktls.handshake.duration", "s", "Time from the call to the authenticated stream, or to the failure.",
        tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

    static Instruments()
    {
        // Read when somebody asks: a counter that is told of changes would be wrong for whoever begins to listen later.
        Meter.CreateObservableUpDownCounter(
            "ktls.active_connections",
            () => new Measurement<long>[]
            {
                new(Volatile.Read(ref Active[0]), Attribute("ktls.role", RoleName(isServer: false))),
                new(Volatile.Read(ref Active[1]), Attribute("ktls.role", RoleName(isServer: true))),
            },
            "{connection}",
            "Authenticated streams that were not disposed of.");
        KernelCounters.AddTo(Meter);
    }

    public static string RoleName(bool isServer) => isServer ? "server" : "client";

    public static void ConnectionBegins(bool isServer) => Interlocked.Increment(ref Active[isServer ? 1 : 0]);

    public static void ConnectionEnds(bool isServer) => Interlocked.Decrement(ref Active[isServer ? 1 : 0]);

    public static void Chosen(DataPlaneKind sending, DataPlaneKind receiving)
    {
        DataPlanes.Add(1, Attribute(Direction, "transmit"), Attribute(Plane, NameOf(sending)));
        DataPlanes.Add(1, Attribute(Direction, "receive"), Attribute(Plane, NameOf(receiving)));
    }

    /// <summary>SslStream takes a connection over.</summary>
    public static void FallsBack(FallbackReason reason) => Fallbacks.Add(1, Attribute("ktls.fallback.reason", NameOf(reason)));

    /// <summary>User space takes a direction over.</summary>
    public static void FallsBack(FallbackReason reason, KernelDirections direction) =>
        Fallbacks.Add(1, Attribute("ktls.fallback.reason", NameOf(reason)), Attribute(Direction, direction == KernelDirections.Send ? "transmit" : "receive"));

    public static void KeyUpdateSent() => KeyUpdates.Add(1, Attribute(Direction, "transmit"));

    public static void KeyUpdateReceived() => KeyUpdates.Add(1, Attribute(Direction, "receive"));

    public static void KernelError(string call, int errno)
    {
        if (KernelErrors.Enabled)
        {
            KernelErrors.Add(1, Attribute("ktls.call", call), Attribute("error.type", Kernel.ErrorNumber.NameOf(errno)));
        }
    }

    public static string NameOf(DataPlaneKind kind) => kind switch
    {
        DataPlaneKind.Kernel => "kernel",
        DataPlaneKind.UserSpace => "user_space",
        _ => "ssl_stream",
    };

    /// <summary>What a reason is counted by. The two that are missing are no fallback, and never counted.</summary>
    public static string NameOf(FallbackReason reason) => reason switch
    {
        FallbackReason.SwitchedOff => "switched_off",
        FallbackReason.Options => "options",
        FallbackReason.NotLinux => "not_linux",
        FallbackReason.NoKernelTls => "no_kernel_tls",
        FallbackReason.ProtocolVersion => "protocol_version",
        FallbackReason.ExtendedMasterSecret => "extended_master_secret",
        FallbackReason.CipherSuite => "cipher_suite",
        FallbackReason.Group => "group",
        FallbackReason.SignatureScheme => "signature_scheme",
        FallbackReason.Certificate => "certificate",
        FallbackReason.ServerRefused => "server_refused",
        FallbackReason.KeysRefused => "keys_refused",
        FallbackReason.NoRekey => "no_rekey",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not counted."),
    };

    private static KeyValuePair<string, object?> Attribute(string name, string value) => new(name, value);
}
