namespace FileServer.Certificates;

/// <summary>Reading the files that certificates and keys come in.</summary>
internal static class CertificateFile
{
    // A chain of certificates is some kilobytes; a wrong name such as /dev/zero must not fill the memory.
    private const int MaxSize = 1024 * 1024;

    /// <exception cref="UserErrorException">The file cannot be read.</exception>
    public static byte[] Read(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            byte[] content = new byte[MaxSize + 1];
            int length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length switch
            {
                0 => throw new UserErrorException($"{file}: the file is empty"),
                > MaxSize => throw new UserErrorException($"{file}: over 1 MiB is too large for certificates or keys"),
                _ => content[..length],
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserErrorException($"{file}: no such file");
        }
        catch (UnauthorizedAccessException)
        {
            throw new UserErrorException(Directory.Exists(file) ? $"{file}: is a folder, not a file" : $"{file}: no permission to read it");
        }
        catch (IOException e)
        {
            throw new UserErrorException($"{file}: cannot be read: {e.Message}");
        }
    }

    /// <summary>Whether the content is text with PEM blocks (RFC 7468); what stands before the first block is a comment.</summary>
    public static bool IsPem(ReadOnlySpan<byte> content) => content.IndexOf("-----BEGIN "u8) >= 0;
}
