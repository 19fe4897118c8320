namespace FileServer.Http;

/// <summary>
/// Looks for the end of a request's head while it arrives, line by line and no byte twice, so that a head that is wrong or
/// too large is refused as soon as that shows.
/// </summary>
internal struct HeadScan
{
    private int _lineStart;
    private int _scanned;
    private int _lines;

    /// <summary>Looks at what has arrived since the last call.</summary>
    /// <param name="received">All that has arrived, from the start of the head on.</param>
    /// <param name="skipped">Bytes of empty lines before the request line, which are to be dropped (RFC 9112 §2.2).</param>
    /// <returns>The length of the head with its empty line, without <paramref name="skipped"/>; 0 while it is incomplete.</returns>
    /// <exception cref="RefusedRequestException">A line is not ended by CRLF, or a limit is reached.</exception>
    public int Continue(ReadOnlySpan<byte> received, out int skipped)
    {
        skipped = 0;
        int lineFeed;
        while ((lineFeed = received[_scanned..].IndexOf((byte)'\n')) >= 0)
        {
            int end = _scanned + lineFeed;
            CheckLine(received[_lineStart..end]);
            bool isEmpty = end - _lineStart == 1;
            _lineStart = _scanned = end + 1;
            if (!isEmpty)
            {
                _lines++;
                continue;
            }

            if (_lines != 0)
            {
                CheckSize(_lineStart - skipped);
                return _lineStart - skipped;
            }

            skipped = _lineStart;
        }

        _scanned = received.Length;
        if (_lines == 0 && _scanned - _lineStart > RequestReader.MaxRequestLine)
        {
            throw new RefusedRequestException(414, "The request line is too long.");
        }

        CheckSize(_scanned - skipped);
        _lineStart -= skipped;
        _scanned -= skipped;
        return 0;
    }

    // A bare LF ends a line for some servers and not for others.
    private readonly void CheckLine(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[^1] != '\r' || line[..^1].Contains((byte)'\r'))
        {
            throw new RefusedRequestException(400, "A line does not end with CRLF.");
        }

        if (_lines == 0 && line.Length > RequestReader.MaxRequestLine)
        {
            throw new RefusedRequestException(414, "The request line is too long.");
        }

        // The request line is no field, and the empty line neither.
        if (_lines > RequestReader.MaxFields && line.Length > 1)
        {
            throw new RefusedRequestException(431, "Too many header fields.");
        }
    }

    private static void CheckSize(int size)
    {
        if (size > RequestReader.MaxHead)
        {
            throw new RefusedRequestException(431, "The header fields are too large.");
        }
    }
}
