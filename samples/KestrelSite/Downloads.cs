using System.Collections.Concurrent;

namespace KestrelSite;

/// <summary>Files to download, made when they are first asked for: each byte is the number of its mebibyte.</summary>
internal sealed class Downloads : IDisposable
{
    private const int Mebibyte = 1 << 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("KestrelSite");
    private readonly ConcurrentDictionary<int, Lazy<string>> _files = new();

    public string FileOf(int mebibytes) => _files.GetOrAdd(mebibytes, size => new Lazy<string>(() => Make(size))).Value;

    public void Dispose() => _folder.Delete(recursive: true);

    private string Make(int mebibytes)
    {
        string path = Path.Combine(_folder.FullName, $"{mebibytes}.bin");
        using FileStream file = File.Create(path);
        byte[] bytes = new byte[Mebibyte];
        for (int i = 0; i < mebibytes; i++)
        {
            bytes.AsSpan().Fill((byte)i);
            file.Write(bytes);
        }

        return path;
    }
}
