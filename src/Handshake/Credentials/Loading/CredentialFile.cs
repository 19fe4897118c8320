using System.Security.Cryptography;
using System.Text;

namespace KTls.Handshake;

/// <summary>Reading the files that certificates and keys come in.</summary>
internal static class CredentialFile
{
    // A chain of certificates is some kilobytes; a wrong name such as /dev/zero must not fill the memory.
    private const int MaxSize = 1024 * 1024;

    /// <exception cref="CredentialException">The file cannot be read or used; the message names it.</exception>
    public static void Read(string file, CredentialMaterial material, CredentialParts parts, string? password) => Use(file, content =>
    {
        if (!Pem.IsPem(content))
        {
            Der.Read(content, material, parts, password);
            return;
        }

        char[] text = new char[content.Length];
        try
        {
            // What stands around the blocks may be in any encoding, and is skipped.
            Encoding.Latin1.GetChars(content, text);
            Pem.Read(text, material, parts, password);
        }
        finally
        {
            Array.Clear(text);
        }
    });

    /// <summary>Reads a file whole, uses its content and forgets it.</summary>
    /// <exception cref="CredentialException">The file cannot be read or used; the message names it.</exception>
    public static void Use(string file, Action<byte[]> use)
    {
        byte[] buffer = new byte[MaxSize + 1];
        byte[] content = [];
        try
        {
            content = ReadAll(file, buffer);
            use(content);
        }
        catch (CredentialException e)
        {
            throw e.In(file);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
            CryptographicOperations.ZeroMemory(content);
        }
    }

    private static byte[] ReadAll(string file, byte[] buffer)
    {
        try
        {
            using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return length switch
            {
                0 => throw new CredentialException("the file is empty"),
                > MaxSize => throw new CredentialException("over 1 MiB is too large for certificates or keys"),
                _ => buffer[..length],
            };
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CredentialException("no such file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CredentialException(Directory.Exists(file) ? "is a folder, not a file" : "no permission to read it", e);
        }
        catch (IOException e)
        {
            throw new CredentialException($"cannot be read: {e.Message}", e);
        }
    }
}
