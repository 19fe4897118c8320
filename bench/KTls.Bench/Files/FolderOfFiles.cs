namespace KTls.Bench.Files;

/// <summary>
/// A folder of files of random bytes, which is deleted in the end. The files stay open until then: some file systems (User-mode Linux'
/// hostfs) forget what they have read of a file with its last descriptor, and every request would read it anew.
/// </summary>
internal sealed class FolderOfFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ktls-bench");
    private readonly List<FileStream> _files = [];

    public string Path => _folder.FullName;

    /// <summary>Makes a file.</summary>
    /// <returns>Its path.</returns>
    public async Task<string> AddAsync(string name, long size)
    {
        byte[] block = new byte[1 << 16];
        Random.Shared.NextBytes(block);
        var file = new FileStream(System.IO.Path.Combine(Path, name), FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        _files.Add(file);
        for (long left = size; left != 0;)
        {
            int part = (int)Math.Min(left, block.Length);
            await file.WriteAsync(block.AsMemory(0, part));
            left -= part;
        }

        await file.FlushAsync();
        return file.Name;
    }

    public void Dispose()
    {
        _files.ForEach(file => file.Dispose());
        _folder.Delete(recursive: true);
    }
}
