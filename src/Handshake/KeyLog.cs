namespace KTls.Handshake;

/// <summary>
/// Writes secrets in the format of SSLKEYLOGFILE, for looking into captured traffic while debugging. Whoever reads it reads the
/// traffic: nothing is written unless the user names a sink.
/// </summary>
internal static class KeyLog
{
    public static void Write(Action<string>? sink, string label, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> secret)
    {
        if (sink is not null)
        {
            Emit(sink, label, clientRandom, secret);
        }
    }

    private static void Emit(Action<string> sink, string label, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> secret) =>
        sink($"{label} {Convert.ToHexStringLower(clientRandom)} {Convert.ToHexStringLower(secret)}");
}
