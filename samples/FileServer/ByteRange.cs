using System.Globalization;

namespace FileServer;

/// <summary>A part of a file (RFC 9110 §14).</summary>
internal readonly record struct ByteRange(long Offset, long Length)
{
    /// <summary>What a Range header asks for.</summary>
    public enum Outcome
    {
        /// <summary>No range, or one that may be ignored: the whole file.</summary>
        Whole,

        /// <summary>One part.</summary>
        Part,

        /// <summary>A range that lies outside the file.</summary>
        NotSatisfiable,
    }

    /// <summary>Reads one range; several at once are answered by the whole file, which the RFC allows.</summary>
    public static Outcome Parse(string? header, long fileLength, out ByteRange range)
    {
        range = new ByteRange(0, fileLength);
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
        {
            return Outcome.Whole;
        }

        ReadOnlySpan<char> spec = header.AsSpan("bytes=".Length).Trim();
        int dash = spec.IndexOf('-');
        if (dash < 0 || spec.Contains(','))
        {
            return Outcome.Whole;
        }

        ReadOnlySpan<char> first = spec[..dash].Trim();
        ReadOnlySpan<char> last = spec[(dash + 1)..].Trim();
        if (first.IsEmpty)
        {
            return ParseSuffix(last, fileLength, out range);
        }

        if (!TryParse(first, out long start) || (!last.IsEmpty && (!TryParse(last, out long given) || given < start)))
        {
            return Outcome.Whole;
        }

        if (start >= fileLength)
        {
            return Outcome.NotSatisfiable;
        }

        long end = fileLength - 1;
        if (!last.IsEmpty && TryParse(last, out long wanted))
        {
            end = Math.Min(end, wanted);
        }

        range = new ByteRange(start, end - start + 1);
        return Outcome.Part;
    }

    private static Outcome ParseSuffix(ReadOnlySpan<char> digits, long fileLength, out ByteRange range)
    {
        range = new ByteRange(0, fileLength);
        if (!TryParse(digits, out long count))
        {
            return Outcome.Whole;
        }

        if (count == 0 || fileLength == 0)
        {
            return Outcome.NotSatisfiable;
        }

        count = Math.Min(count, fileLength);
        range = new ByteRange(fileLength - count, count);
        return Outcome.Part;
    }

    // A number too large for a file is as good as the largest one.
    private static bool TryParse(ReadOnlySpan<char> digits, out long value)
    {
        value = long.MaxValue;
        return !digits.IsEmpty && digits.IndexOfAnyExceptInRange('0', '9') < 0
            && (digits.TrimStart('0').Length > 18 || long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value));
    }
}
