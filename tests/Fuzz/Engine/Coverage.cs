using System.Runtime.InteropServices;
using SharedTrace = SharpFuzz.Common.Trace;

namespace KTls.Fuzz;

/// <summary>
/// Which ways through KTls.Handshake an execution took. The instrumented assembly counts each step from one branch to the next
/// in a map of bytes, as AFL does; two counts are the same when they fall into one power of two.
/// </summary>
internal sealed unsafe class Coverage
{
    private const int Size = 1 << 16;

    private static readonly byte* Map = (byte*)NativeMemory.AllocZeroed(Size);
    private static readonly byte[] Buckets = [.. Enumerable.Range(0, 256).Select(Bucket)];

    private readonly byte[] _seen = new byte[Size];

    /// <summary>Steps from branch to branch that were seen.</summary>
    public int Steps { get; private set; }

    /// <summary>Gives the instrumented assembly its map, without which it cannot run.</summary>
    public static void Start() => SharedTrace.SharedMem = Map;

    /// <summary>Forgets the last execution.</summary>
    public static void Clear()
    {
        new Span<byte>(Map, Size).Clear();
        SharedTrace.PrevLocation = 0;
    }

    /// <summary>Adds the last execution.</summary>
    /// <returns>Whether it did anything that none before it did.</returns>
    public bool Add()
    {
        bool isNew = false;
        ulong* words = (ulong*)Map;
        for (int word = 0; word < Size / sizeof(ulong); word++)
        {
            if (words[word] == 0)
            {
                continue;
            }

            for (int i = word * sizeof(ulong); i < (word + 1) * sizeof(ulong); i++)
            {
                byte bucket = Buckets[Map[i]];
                if ((_seen[i] | bucket) != _seen[i])
                {
                    Steps += _seen[i] == 0 ? 1 : 0;
                    _seen[i] |= bucket;
                    isNew = true;
                }
            }
        }

        return isNew;
    }

    private static byte Bucket(int count) => count switch
    {
        0 => 0,
        <= 3 => (byte)(1 << (count - 1)),
        <= 7 => 8,
        <= 15 => 16,
        <= 31 => 32,
        <= 127 => 64,
        _ => 128,
    };
}
