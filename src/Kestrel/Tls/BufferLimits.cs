namespace KTls.Kestrel.Tls;

/// <summary>How many bytes wait between Kestrel and the socket before the other side is made to wait; 0: any number.</summary>
internal readonly record struct BufferLimits(long Read, long Write);
