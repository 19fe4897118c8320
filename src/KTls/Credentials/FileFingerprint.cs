using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KTls;

/// <summary>Tells whether files have changed.</summary>
internal static class FileFingerprint
{
    // More than any file of certificates that can be loaded.
    private const int MaxLength = 2 * 1024 * 1024;

    /// <summary>A hash of the files' contents; a file that cannot be read has none.</summary>
    public static byte[] Of(IEnumerable<string> paths)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[16 * 1024];
        Span<byte> total = stackalloc byte[4];
        foreach (string path in paths)
        {
            BinaryPrimitives.WriteInt32BigEndian(total, Append(all, path, buffer));
            all.AppendData(total);
        }

        CryptographicOperations.ZeroMemory(buffer);
        return all.GetHashAndReset();
    }

    private static int Append(IncrementalHash hash, string path, byte[] buffer)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            int total = 0;
            for (int read; total < MaxLength && (read = file.Read(buffer)) > 0; total += read)
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }

            return total;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }
}
