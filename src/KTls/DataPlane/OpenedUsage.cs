namespace KTls.DataPlane;

/// <summary>
/// What was opened with one key of the peer's so far. Only the kernel knows the number of records, so it is asked from time to time:
/// before the limit can be reached, were every byte a record.
/// </summary>
internal struct OpenedUsage
{
    private const long MaxInterval = 4 << 20;

    private long _bytes;
    private long _nextLook;
    private bool _isUpdateDue;

    /// <summary>Data has come: whether it is time for <see cref="Look"/>.</summary>
    public bool Add(int bytes)
    {
        _bytes += bytes;
        return _bytes >= _nextLook;
    }

    /// <summary>Compares with the limits.</summary>
    /// <param name="limits">The limits.</param>
    /// <param name="records">Records opened with the key; null when that is not known.</param>
    /// <returns>Whether the peer should be asked to change its keys: once for each of them.</returns>
    /// <exception cref="Handshake.TlsAlertException">The peer goes beyond what its key is safe for.</exception>
    public bool Look(in KeyLimits limits, ulong? records)
    {
        long opened = (long?)records ?? (_bytes / Handshake.RecordHeader.MaxPlaintext);
        long left = limits.MaxOpenedCost - KeyUsage.CostOf(_bytes, opened);
        if (left < 0)
        {
            throw new Handshake.TlsAlertException(Handshake.AlertDescription.UnexpectedMessage, $"The peer has sealed {opened} records and {_bytes} bytes with one key, more than it is safe for (RFC 8446 §5.5, RFC 9325 §4.4).");
        }

        long interval = left / (1 + KeyUsage.CostOf(0, 1));
        bool wasDue = _isUpdateDue;
        _isUpdateDue = opened >= limits.RekeyRecords || _bytes >= limits.RekeyBytes;
        if (!_isUpdateDue)
        {
            interval = Math.Min(interval, Math.Min(limits.RekeyRecords - opened, limits.RekeyBytes - _bytes));
        }

        _nextLook = _bytes + Math.Clamp(interval, 1, MaxInterval);
        return _isUpdateDue && !wasDue;
    }

    /// <summary>Starts anew with the peer's next key.</summary>
    public void Reset() => this = default;
}
