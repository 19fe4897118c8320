namespace KTls.Handshake;

/// <summary>How settled the public types are.</summary>
internal static class Maturity
{
    /// <summary>
    /// The diagnostic of what may still change: the handshake as a state machine and the record layer, which KTls drives and few others need.
    /// </summary>
    public const string Experimental = "KTLS001";
}
