using KTls.Handshake;

namespace KTls.DataPlane;

/// <summary>
/// What was sealed with one key so far. It is counted without asking the kernel, so it is never too little: the kernel seals one
/// record more per call than the bytes need where TCP has no room for the rest, and a record per page of a file at worst.
/// </summary>
internal struct KeyUsage
{
    /// <summary>The fewest bytes of a file that the kernel seals in a record, but for the last one: a page (before Linux 6.5).</summary>
    public const int MinFileRecord = 4096;

    // What an AEAD limit is about are cipher blocks. A record has two besides those that its bytes fill, and its last one is
    // counted full.
    private const int CostOfRecord = 3 * 16;

    public long Records { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Bytes as the AEAD sees them: those of the content and, for each record, 48.</summary>
    public readonly long Cost => CostOf(Bytes, Records);

    public static long CostOf(long bytes, long records) => bytes + (CostOfRecord * records);

    /// <summary>The records that so many bytes become at most, by one call.</summary>
    public static long RecordsOf(long bytes, int recordSize) => ((bytes + recordSize - 1) / recordSize) + 1;

    public void Add(long bytes, long records)
    {
        Bytes += bytes;
        Records += records;
    }

    /// <summary>
    /// How many of so many bytes the key may still seal before it has to change. One record is left for the KeyUpdate, one for an
    /// alert. 0: the key has to change first.
    /// </summary>
    public readonly long Allowance(in KeyLimits limits, long bytes, int recordSize)
    {
        long records = limits.RekeyRecords - 2 - Records;
        long byRecords = records < 2 ? 0 : (records - 1) * recordSize;
        return Math.Max(0, Math.Min(bytes, Math.Min(byRecords, limits.RekeyBytes - Bytes)));
    }

    /// <summary>Whether a whole write in pieces, and then an alert, stays within what the key may ever seal.</summary>
    public readonly bool Permits(in KeyLimits limits, long bytes, int recordSize, int pieceSize)
    {
        const int Reserve = 4 * (CostOfRecord + TlsAlert.Size);
        long records = RecordsOf(bytes, recordSize) + (bytes / pieceSize);
        return bytes <= limits.MaxCost && Cost + CostOf(bytes, records) + Reserve <= limits.MaxCost;
    }
}
