using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace FileServer.Files;

/// <summary>A regular file, open for reading.</summary>
internal sealed record StaticFile(SafeFileHandle Handle, string Name, long Length, DateTimeOffset Modified) : IDisposable
{
    /// <summary>Differs between any two states of the file that differ in size or time; strong (RFC 9110 §8.8.3).</summary>
    public string Tag => string.Create(CultureInfo.InvariantCulture, $"\"{Modified.UtcTicks:x}-{Length:x}\"");

    /// <summary>The time in whole seconds, as header fields carry it.</summary>
    public DateTimeOffset LastModified => new(Modified.UtcTicks - (Modified.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);

    public void Dispose() => Handle.Dispose();
}
