using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace FileServer;

/// <summary>A file that may be served, open.</summary>
internal sealed record StaticFile(SafeFileHandle Handle, string ContentType, long Length, DateTimeOffset LastModified) : IDisposable
{
    /// <summary>Changes whenever size or time of modification change.</summary>
    public string ETag => string.Create(CultureInfo.InvariantCulture, $"\"{LastModified.UtcTicks:x}-{Length:x}\"");

    public void Dispose() => Handle.Dispose();
}

/// <summary>The files below a root, and nothing else.</summary>
internal sealed class StaticFiles
{
    private readonly string _root;

    /// <exception cref="UsageException">The root is not a folder.</exception>
    public StaticFiles(string root)
    {
        _root = OpenedFile.RealFolder(root) ?? throw new UsageException($"--root {root}: no such folder, or it cannot be read.");
    }

    /// <summary>The root, free of links.</summary>
    public string Root => _root;

    /// <summary>What a request target leads to.</summary>
    /// <param name="target">Path and query as sent.</param>
    /// <param name="redirect">When null is returned: where a folder's name without its slash leads to, or null.</param>
    /// <returns>The open file, or null.</returns>
    /// <exception cref="BadRequestException">The target is malformed or tries to leave the root.</exception>
    public StaticFile? Open(string target, out string? redirect)
    {
        redirect = null;
        string path = Decode(target.Split('?', '#')[0]);
        string full = Path.Combine(_root, path.TrimStart('/'));
        if (Directory.Exists(full))
        {
            if (!path.EndsWith('/'))
            {
                // The path begins with one slash, so it cannot be taken for the name of another host.
                redirect = "/" + string.Join('/', path.Trim('/').Split('/').Select(Uri.EscapeDataString)) + "/";
                return null;
            }

            full = Path.Combine(full, "index.html");
        }
        else if (path.EndsWith('/'))
        {
            return null;
        }

        return OpenFile(full);
    }

    // Percent-decoding, once. What could lead out of the root, or means something else elsewhere, is refused.
    private static string Decode(string path)
    {
        var bytes = new List<byte>(path.Length);
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] != '%')
            {
                bytes.Add((byte)path[i]);
                continue;
            }

            if (i + 2 >= path.Length || !byte.TryParse(path.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value))
            {
                throw new BadRequestException(400, "Malformed percent-encoding.");
            }

            bytes.Add(value is not ((byte)'/' or (byte)'\\' or 0) ? value : throw new BadRequestException(400, "An encoded slash, backslash or NUL in the path."));
            i += 2;
        }

        string decoded = Encoding.UTF8.GetString([.. bytes]);
        if (decoded.Contains('\\', StringComparison.Ordinal) || decoded.Contains('\0', StringComparison.Ordinal) || decoded.Split('/').Any(segment => segment is "." or ".."))
        {
            throw new BadRequestException(400, "A path that leads elsewhere.");
        }

        return decoded;
    }

    private StaticFile? OpenFile(string full)
    {
        SafeFileHandle? handle = OpenedFile.TryOpenRegular(full);
        if (handle is null)
        {
            return null;
        }

        // A symbolic link may lead out of the root; the kernel knows where the open file really is.
        if (!OpenedFile.RealPath(handle).StartsWith(_root == "/" ? "/" : _root + "/", StringComparison.Ordinal))
        {
            handle.Dispose();
            return null;
        }

        return new StaticFile(handle, ContentTypes.Of(full), RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));
    }
}
