using System.Globalization;

namespace FileServer.Http;

/// <summary>The part of a file that a Range field asks for (RFC 9110 §14).</summary>
internal readonly record struct ByteRange(long Offset, long Count)
{
    public enum Result
    {
        /// <summary>The whole file: the field is missing, malformed, or asks for several parts, and may be ignored then.</summary>
        Whole,

        /// <summary>206: one part.</summary>
        Part,

        /// <summary>416: the file does not reach there.</summary>
        NotSatisfiable,
    }

    /// <summary>Reads the field.</summary>
    /// <param name="field">The field's value or null.</param>
    /// <param name="length">The file's length.</param>
    /// <param name="range">What to send; the whole file if that is the result.</param>
    public static Result Parse(string? field, long length, out ByteRange range)
    {
        range = new ByteRange(0, length);

        // No part of an empty file can be named in a Content-Range, and to ignore the field is always allowed.
        const string Unit = "bytes=";
        if (field is null || length == 0 || !field.StartsWith(Unit, StringComparison.OrdinalIgnoreCase))
        {
            return Result.Whole;
        }

        ReadOnlySpan<char> part = field.AsSpan(Unit.Length).Trim(" \t");
        int dash = part.IndexOf('-');
        if (dash < 0)
        {
            return Result.Whole;
        }

        return dash == 0
            ? ParseSuffix(part[1..], length, ref range)
            : ParseFromTo(part[..dash], part[(dash + 1)..], length, ref range);
    }

    // "-n": the last n bytes.
    private static Result ParseSuffix(ReadOnlySpan<char> digits, long length, ref ByteRange range)
    {
        if (!TryParse(digits, out long suffix))
        {
            return Result.Whole;
        }

        if (suffix == 0)
        {
            return Result.NotSatisfiable;
        }

        long count = Math.Min(suffix, length);
        range = new ByteRange(length - count, count);
        return Result.Part;
    }

    // "a-b", both included, or "a-".
    private static Result ParseFromTo(ReadOnlySpan<char> from, ReadOnlySpan<char> to, long length, ref ByteRange range)
    {
        long last = long.MaxValue;
        if (!TryParse(from, out long first) || (!to.IsEmpty && !TryParse(to, out last)) || last < first)
        {
            return Result.Whole;
        }

        if (first >= length)
        {
            return Result.NotSatisfiable;
        }

        range = new ByteRange(first, Math.Min(last, length - 1) - first + 1);
        return Result.Part;
    }

    // A number too large for a long lies behind every file's end, as the largest long does.
    private static bool TryParse(ReadOnlySpan<char> digits, out long value)
    {
        value = long.MaxValue;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        if (long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long parsed))
        {
            value = parsed;
        }

        return true;
    }
}
