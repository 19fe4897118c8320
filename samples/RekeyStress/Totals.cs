namespace RekeyStress;

/// <summary>What was done so far, by all.</summary>
internal sealed class Totals
{
    private long _updatesSent;
    private long _updatesReceived;
    private long _bytesSent;
    private long _bytesByFile;
    private long _bytesChecked;
    private long _livesClosed;
    private long _livesCut;

    public long UpdatesSent => Interlocked.Read(ref _updatesSent);

    public long UpdatesReceived => Interlocked.Read(ref _updatesReceived);

    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public long BytesByFile => Interlocked.Read(ref _bytesByFile);

    public long BytesChecked => Interlocked.Read(ref _bytesChecked);

    /// <summary>Connections that both ends have ended with close_notify.</summary>
    public long LivesClosed => Interlocked.Read(ref _livesClosed);

    /// <summary>Connections that a fault has ended.</summary>
    public long LivesCut => Interlocked.Read(ref _livesCut);

    /// <summary>Grows as long as anything goes on.</summary>
    public long Signs => UpdatesSent + UpdatesReceived + BytesSent + BytesChecked + LivesClosed + LivesCut;

    public void UpdateSent() => Interlocked.Increment(ref _updatesSent);

    public void UpdateReceived() => Interlocked.Increment(ref _updatesReceived);

    public void Sent(int bytes, bool asFile)
    {
        Interlocked.Add(ref _bytesSent, bytes);
        if (asFile)
        {
            Interlocked.Add(ref _bytesByFile, bytes);
        }
    }

    public void Checked(int bytes) => Interlocked.Add(ref _bytesChecked, bytes);

    public void LifeEnded(bool cut) => Interlocked.Increment(ref cut ? ref _livesCut : ref _livesClosed);
}
