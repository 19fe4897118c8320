namespace KTls.Bench.Files;

/// <summary>Files of random bytes.</summary>
internal static class FileOfBytes
{
    public static async Task MakeAsync(string path, long size)
    {
        byte[] block = new byte[1 << 16];
        Random.Shared.NextBytes(block);
        await using FileStream file = File.Create(path);
        for (long left = size; left != 0;)
        {
            int part = (int)Math.Min(left, block.Length);
            await file.WriteAsync(block.AsMemory(0, part));
            left -= part;
        }
    }
}
