using System.Security.Cryptography;
using System.Text;

namespace KTls;

/// <summary>
/// A file in the format of SSLKEYLOGFILE, as Wireshark reads it: <c>options.KeyLog = file.Append</c>. Whoever reads the file can read
/// the traffic, so it is there only when a program makes it, never because of an environment variable. For many connections at once.
/// </summary>
public sealed class KeyLogFile : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _writing = new();

    /// <summary>Opens the file, or makes one that nobody but its owner can read (mode 0600). What is in it stays.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to write it.</exception>
    public KeyLogFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _file = new FileStream(path, options);
    }

    /// <summary>Writes a line, whole and at once. A handshake whose line cannot be written fails.</summary>
    /// <param name="line">The line, without its end.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public void Append(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        byte[] bytes = Encoding.ASCII.GetBytes(line + '\n');
        try
        {
            lock (_writing)
            {
                _file.Write(bytes);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    /// <summary>Closes the file, once no handshake is under way that writes to it.</summary>
    public void Dispose() => _file.Dispose();
}
