namespace KestrelSite;

/// <summary>Files to download, made when they are first asked for: each byte is the number of its mebibyte.</summary>
internal sealed class Downloads : IDisposable
{
    /// <summary>What all files together may have: anybody can ask for some of every size.</summary>
    public const int MaxMebibytes = 4096;

    private const int Mebibyte = 1 << 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("KestrelSite");
    private readonly Dictionary<int, Lazy<string>> _files = [];

    /// <summary>A file of this size; null if the others leave no room for it.</summary>
    public string? FileOf(int mebibytes)
    {
        Lazy<string>? file;
        lock (_files)
        {
            if (!_files.TryGetValue(mebibytes, out file))
            {
                if (_files.Keys.Sum() + mebibytes > MaxMebibytes)
                {
                    return null;
                }

                file = _files[mebibytes] = new Lazy<string>(() => Make(mebibytes));
            }
        }

        try
        {
            return file.Value;
        }
        catch (IOException)
        {
            // The disk is full, perhaps not for ever: whoever comes next tries again.
            Forget(mebibytes, file);
            throw;
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void Forget(int mebibytes, Lazy<string> file)
    {
        lock (_files)
        {
            if (_files.GetValueOrDefault(mebibytes) == file)
            {
                _files.Remove(mebibytes);
                File.Delete(PathOf(mebibytes));
            }
        }
    }

    private string PathOf(int mebibytes) => Path.Combine(_folder.FullName, $"{mebibytes}.bin");

    private string Make(int mebibytes)
    {
        string path = PathOf(mebibytes);
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
