using FileServer.Files;
using FileServer.Http;
using FileServer.Tests.Support;

namespace FileServer.Tests.Files;

public sealed class FileRootTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FileRoot _root;

    public FileRootTests()
    {
        _folder.Write("outside/secret.txt", "secret");
        _folder.Write("outside/index.html", "secret");
        _folder.Write("root-sibling/secret.txt", "secret");
        _folder.Write("root/a.txt", "hello");
        _folder.Write("root/empty.txt", "");
        _folder.Write("root/folder/index.html", "<p>");
        _folder.Write("root/plain/b.txt", "b");
        _folder.Write("root/.env", "secret");
        _folder.Write("root/.well-known/c", "c");
        _folder.Write("root/sp ace/ü.txt", "u");
        _root = new FileRoot(_folder["root"]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/a.txt", "Found")]
    [InlineData("/empty.txt", "Found")]
    [InlineData("/folder/", "Found")]
    [InlineData("/folder", "Folder")]
    [InlineData("/plain", "Folder")]
    [InlineData("/.well-known/c", "Found")]
    [InlineData("/sp%20ace/%C3%BC.txt", "Found")]
    [InlineData("/", "NotFound")]
    [InlineData("/plain/", "NotFound")]
    [InlineData("/a.txt/", "NotFound")]
    [InlineData("/a.txt/b", "NotFound")]
    [InlineData("/nothing", "NotFound")]
    [InlineData("/nothing/", "NotFound")]
    [InlineData("/.env", "NotFound")]
    [InlineData("//a.txt", "NotFound")]
    public void Finds_files_and_folders(string target, string expected) => Assert.Equal(expected, Look(target));

    [Fact]
    public void Tells_what_headers_need()
    {
        var modified = new DateTime(2024, 2, 29, 12, 30, 45, 678, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_folder["root/a.txt"], modified);
        Assert.Equal(FileLookup.Found, _root.TryOpen(RequestPath.Parse("/a.txt"), out StaticFile? file));
        using StaticFile open = file!;
        Assert.Equal(5, open.Length);
        Assert.Equal(new DateTimeOffset(2024, 2, 29, 12, 30, 45, TimeSpan.Zero), open.LastModified);
        Assert.Equal("a.txt", open.Name);
        byte[] content = new byte[5];
        Assert.Equal(5, RandomAccess.Read(open.Handle, content, 0));
        Assert.Equal("hello"u8, content);
    }

    [Fact]
    public void A_changed_file_has_another_tag()
    {
        string before = TagOf("/a.txt");
        Assert.Equal(before, TagOf("/a.txt"));
        File.SetLastWriteTimeUtc(_folder["root/a.txt"], DateTime.UtcNow.AddSeconds(-1.5));
        string touched = TagOf("/a.txt");
        Assert.NotEqual(before, touched);
        File.AppendAllText(_folder["root/a.txt"], "x");
        Assert.NotEqual(touched, TagOf("/a.txt"));
    }

    [Theory]
    [InlineData("../outside/secret.txt", "/link", "NotFound")]
    [InlineData("../outside", "/link", "NotFound")]
    [InlineData("../outside", "/link/", "NotFound")]
    [InlineData("../outside", "/link/secret.txt", "NotFound")]
    [InlineData("../root-sibling/secret.txt", "/link", "NotFound")]
    [InlineData("/etc/passwd", "/link", "NotFound")]
    [InlineData("/", "/link/etc/passwd", "NotFound")]
    [InlineData("/proc/self/root/etc/passwd", "/link", "NotFound")]
    [InlineData("/proc/self/environ", "/link", "NotFound")]
    [InlineData("link", "/link", "NotFound")]
    [InlineData("nothing", "/link", "NotFound")]
    [InlineData("a.txt", "/link", "Found")]
    [InlineData("folder", "/link", "Folder")]
    [InlineData("folder", "/link/", "Found")]
    [InlineData("../root/a.txt", "/link", "Found")]
    public void Follows_symbolic_links_only_inside(string linkTarget, string target, string expected)
    {
        File.CreateSymbolicLink(_folder["root/link"], linkTarget);
        Assert.Equal(expected, Look(target));
    }

    [Fact]
    public void Follows_absolute_links_that_stay_inside()
    {
        File.CreateSymbolicLink(_folder["root/link"], _folder["root/a.txt"]);
        Assert.Equal("Found", Look("/link"));
    }

    [Fact]
    public void An_index_that_links_out_is_not_found()
    {
        File.CreateSymbolicLink(_folder["root/plain/index.html"], _folder["outside/secret.txt"]);
        Assert.Equal("NotFound", Look("/plain/"));
    }

    [Fact]
    public void An_index_that_is_a_folder_is_not_found()
    {
        Directory.CreateDirectory(_folder["root/plain/index.html"]);
        Assert.Equal("NotFound", Look("/plain/"));
    }

    [Fact]
    public void The_root_itself_may_be_a_link()
    {
        File.CreateSymbolicLink(_folder["alias"], "root");
        var root = new FileRoot(_folder["alias"]);
        Assert.Equal(_folder["root"], root.Path);
        Assert.Equal(FileLookup.Found, root.TryOpen(RequestPath.Parse("/a.txt"), out StaticFile? file));
        file!.Dispose();
    }

    // To open a FIFO for reading would wait for a writer.
    [Fact]
    public async Task Refuses_a_fifo_without_waiting()
    {
        Assert.Equal(0, (await Tool.RunAsync("mkfifo", _folder["root/fifo"])).ExitCode);
        Assert.Equal("NotFound", await Task.Run(() => Look("/fifo")).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Refuses_a_socket()
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_folder["root/socket"]));
        Assert.Equal("NotFound", Look("/socket"));
    }

    [Fact]
    public void Refuses_devices()
    {
        var root = new FileRoot("/dev");
        Assert.Equal(FileLookup.NotFound, root.TryOpen(RequestPath.Parse("/zero"), out _));
        Assert.Equal(FileLookup.NotFound, root.TryOpen(RequestPath.Parse("/null"), out _));
    }

    [Fact]
    public void Serves_the_whole_file_system_if_that_is_asked_for()
    {
        var root = new FileRoot("/");
        Assert.Equal(FileLookup.Found, root.TryOpen(RequestPath.Parse("/etc/passwd"), out StaticFile? file));
        file!.Dispose();
        Assert.Equal(FileLookup.Folder, root.TryOpen(RequestPath.Parse("/etc"), out _));
    }

    [Fact]
    public void Overlong_names_are_not_found() => Assert.Equal("NotFound", Look("/" + new string('a', 300)));

    [Fact]
    public void Overlong_paths_are_not_found() => Assert.Equal("NotFound", Look(string.Concat(Enumerable.Repeat("/" + new string('a', 200), 30))));

    // A file and a link out of the root take turns under one name: whatever is opened lies inside.
    [Fact]
    public async Task A_race_with_a_link_does_not_lead_out()
    {
        string name = _folder["root/turn"];
        using var end = new CancellationTokenSource();
        Task swapping = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                File.WriteAllText(name + ".new", "good");
                File.Move(name + ".new", name, overwrite: true);
                File.CreateSymbolicLink(name + ".new", _folder["outside/secret.txt"]);
                File.Move(name + ".new", name, overwrite: true);
            }
        });
        RequestPath path = RequestPath.Parse("/turn");
        byte[] content = new byte[6];
        for (int i = 0; i < 5000; i++)
        {
            if (_root.TryOpen(path, out StaticFile? file) == FileLookup.Found)
            {
                using StaticFile open = file!;
                RandomAccess.Read(open.Handle, content, 0);
                Assert.NotEqual((byte)'s', content[0]);
            }
        }

        await end.CancelAsync();
        await swapping;
    }

    [Fact]
    public void Leaves_no_descriptors_open()
    {
        Look("/a.txt");
        int before = Directory.GetFiles("/proc/self/fd").Length;
        for (int i = 0; i < 100; i++)
        {
            Look("/a.txt");
            Look("/nothing");
            Look("/folder");
            Look("/folder/");
        }

        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 20);
    }

    [Theory]
    [InlineData("nothing", "no such folder")]
    [InlineData("root/a.txt", "is not a folder")]
    public void A_root_has_to_be_a_folder(string name, string message) =>
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => new FileRoot(_folder[name])).Message, StringComparison.Ordinal);

    [Fact]
    public void Knows_which_files_it_holds()
    {
        Assert.True(_root.Holds(_folder["root/.env"]));
        Assert.False(_root.Holds(_folder["outside/secret.txt"]));
        Assert.False(_root.Holds(_folder["nothing"]));
    }

    private string Look(string target)
    {
        FileLookup result = _root.TryOpen(RequestPath.Parse(target), out StaticFile? file);
        Assert.Equal(result == FileLookup.Found, file is not null);
        file?.Dispose();
        return result.ToString();
    }

    private string TagOf(string target)
    {
        Assert.Equal(FileLookup.Found, _root.TryOpen(RequestPath.Parse(target), out StaticFile? file));
        using StaticFile open = file!;
        return open.Tag;
    }
}
