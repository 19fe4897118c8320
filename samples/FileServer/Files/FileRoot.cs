using FileServer.Http;

namespace FileServer.Files;

/// <summary>What came of looking for a file.</summary>
internal enum FileLookup
{
    Found,
    NotFound,

    /// <summary>It is a folder, asked for without its slash.</summary>
    Folder,

    /// <summary>The server's user may not read it.</summary>
    Forbidden,

    /// <summary>The machine is short of something, such as file descriptors.</summary>
    Failed,
}

/// <summary>The folder that is served: nothing outside of it can be reached.</summary>
internal sealed class FileRoot
{
    private const string Index = "index.html";

    private readonly string _prefix;

    /// <exception cref="UserErrorException">The folder does not exist or cannot be read.</exception>
    public FileRoot(string folder)
    {
        using FileNode node = FileNode.TryFind(System.IO.Path.GetFullPath(folder), out int errno)
            ?? throw new UserErrorException(errno == ErrorNumber.EACCES ? $"--root {folder}: no permission" : $"--root {folder}: no such folder");
        Path = node.IsFolder ? node.RealName : throw new UserErrorException($"--root {folder}: is not a folder");
        _prefix = Path.EndsWith('/') ? Path : Path + "/";
    }

    /// <summary>The folder's real name.</summary>
    public string Path { get; }

    /// <summary>Whether a file lies in the folder, going by its real name.</summary>
    public bool Holds(string file)
    {
        using FileNode? node = FileNode.TryFind(System.IO.Path.GetFullPath(file), out _);
        return node is not null && IsInside(node);
    }

    /// <summary>Opens the file that a path leads to.</summary>
    /// <param name="path">The path.</param>
    /// <param name="file">The file, if one was found.</param>
    public FileLookup TryOpen(RequestPath path, out StaticFile? file)
    {
        file = null;
        if (!path.IsServed)
        {
            return FileLookup.NotFound;
        }

        string name = _prefix + string.Join('/', path.Segments);
        using FileNode? node = FileNode.TryFind(name, out int errno);
        if (node is null)
        {
            return Explain(errno);
        }

        // A symbolic link may lead anywhere. The name was looked up once, and this asks about what was found: there is no
        // moment in between at which somebody could exchange it.
        if (!IsInside(node))
        {
            return FileLookup.NotFound;
        }

        if (node.IsFolder)
        {
            return path.EndsWithSlash ? TryOpenIndex(name, out file) : FileLookup.Folder;
        }

        return path.EndsWithSlash ? FileLookup.NotFound : TryOpen(node, name, out file);
    }

    private bool IsInside(FileNode node)
    {
        string name = node.RealName;
        return name == Path || name.StartsWith(_prefix, StringComparison.Ordinal);
    }

    private FileLookup TryOpenIndex(string folder, out StaticFile? file)
    {
        file = null;
        string name = System.IO.Path.Combine(folder, Index);
        using FileNode? node = FileNode.TryFind(name, out int errno);
        return node is null ? Explain(errno)
            : IsInside(node) ? TryOpen(node, name, out file)
            : FileLookup.NotFound;
    }

    private static FileLookup TryOpen(FileNode node, string name, out StaticFile? file)
    {
        file = null;

        // Devices, FIFOs and sockets have nothing to send, or would never end.
        if (!node.IsRegularFile)
        {
            return FileLookup.NotFound;
        }

        if (node.TryOpenForReading(out int errno) is not { } handle)
        {
            return Explain(errno);
        }

        file = new StaticFile(handle, System.IO.Path.GetFileName(name), node.Length, node.Modified);
        return FileLookup.Found;
    }

    private static FileLookup Explain(int errno) => errno switch
    {
        ErrorNumber.EACCES => FileLookup.Forbidden,
        ErrorNumber.ENOENT or ErrorNumber.ENOTDIR or ErrorNumber.ENAMETOOLONG or ErrorNumber.ELOOP => FileLookup.NotFound,
        _ => FileLookup.Failed,
    };

    // The same numbers on every architecture that .NET runs on.
    private static class ErrorNumber
    {
        public const int ENOENT = 2;
        public const int EACCES = 13;
        public const int ENOTDIR = 20;
        public const int ENAMETOOLONG = 36;
        public const int ELOOP = 40;
    }
}
