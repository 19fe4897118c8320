namespace KTls.Handshake.Wire;

/// <summary>Version numbers as they stand on the wire.</summary>
internal static class ProtocolVersion
{
    public const ushort Ssl30 = 0x0300;
    public const ushort Tls10 = 0x0301;
    public const ushort Tls11 = 0x0302;
    public const ushort Tls12 = 0x0303;
    public const ushort Tls13 = 0x0304;
}
