namespace KTls.Fuzz.Handshakes;

/// <summary>A record on its way: what is in it, and what happens to it once it is sealed.</summary>
/// <param name="Fragment">What is in it.</param>
internal sealed record Delivery(Fragment Fragment)
{
    /// <summary>Changes the sealed record; null: it stays as it is.</summary>
    public Func<byte[], byte[]>? Change { get; init; }

    /// <summary>Whether it comes twice.</summary>
    public bool IsRepeated { get; init; }

    /// <summary>Whether it comes after the next one.</summary>
    public bool IsLate { get; init; }
}
