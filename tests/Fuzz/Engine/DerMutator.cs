using System.Formats.Asn1;

namespace KTls.Fuzz;

/// <summary>Changes DER as a tree, so that all lengths fit whatever has been changed inside.</summary>
internal sealed class DerMutator(Random random, Mutator mutator)
{
    private const int MaxDepth = 24;
    private static readonly byte[] Tags = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x24, 0x30, 0x31, 0x80, 0x81, 0xa0, 0xa1, 0xa2, 0xa3];

    /// <summary>Changes an input.</summary>
    /// <param name="input">The input: DER, or bytes that resemble it.</param>
    /// <param name="other">Another one, to take parts from.</param>
    /// <param name="maxLength">The most bytes of the result.</param>
    /// <returns>The changed input.</returns>
    public byte[] Mutate(ReadOnlySpan<byte> input, ReadOnlySpan<byte> other, int maxLength)
    {
        List<Node> roots = Read(input, 0) ?? [new Node(0x30, input.ToArray(), null)];
        for (int changes = 1 << random.Next(3); changes > 0; changes--)
        {
            List<(List<Node> Siblings, int Index)> all = Walk(roots);
            if (all.Count != 0)
            {
                (List<Node> siblings, int index) = all[random.Next(all.Count)];
                Change(siblings, index, all, other);
            }
        }

        byte[] result = Write(roots);
        return result.Length <= maxLength ? result : result[..maxLength];
    }

    private void Change(List<Node> siblings, int index, List<(List<Node> Siblings, int Index)> all, ReadOnlySpan<byte> other)
    {
        Node node = siblings[index];
        switch (random.Next(8))
        {
            case 0:
                siblings.RemoveAt(index);
                break;
            case 1:
                siblings.Insert(index, Copy(node));
                break;
            case 2:
                (List<Node> from, int at) = all[random.Next(all.Count)];
                siblings[index] = Copy(from[at]);
                break;
            case 3:
                siblings[index] = node with { Tag = Tags[random.Next(Tags.Length)] };
                break;
            case 4 when Read(other, 0) is { Count: > 0 } others:
                List<(List<Node> Siblings, int Index)> theirs = Walk(others);
                (List<Node> donor, int place) = theirs[random.Next(theirs.Count)];
                siblings[index] = Copy(donor[place]);
                break;
            case 5:
                // One in another: tags that nest deeply.
                siblings[index] = new Node(Tags[random.Next(Tags.Length)], [], [Copy(node)]);
                break;
            default:
                siblings[index] = node with { Content = mutator.Mutate(ContentOf(node), other, 4096), Children = null };
                break;
        }
    }

    private static List<(List<Node> Siblings, int Index)> Walk(List<Node> roots)
    {
        var all = new List<(List<Node>, int)>();
        var open = new Stack<List<Node>>([roots]);
        while (open.TryPop(out List<Node>? siblings) && all.Count < 10_000)
        {
            for (int i = 0; i < siblings.Count; i++)
            {
                all.Add((siblings, i));
                if (siblings[i].Children is { } children)
                {
                    open.Push(children);
                }
            }
        }

        return all;
    }

    // Null when it is not DER to its end: with the rules of BER an open end is an exception. An octet string often holds DER again.
    private static List<Node>? Read(ReadOnlySpan<byte> der, int depth)
    {
        var nodes = new List<Node>();
        while (!der.IsEmpty)
        {
            if (depth == MaxDepth
                || !Asn1Tag.TryDecode(der, out Asn1Tag tag, out int tagLength) || tagLength != 1
                || !AsnDecoder.TryReadEncodedValue(der, AsnEncodingRules.DER, out _, out int offset, out int length, out int consumed))
            {
                return null;
            }

            byte[] content = der.Slice(offset, length).ToArray();
            bool mayNest = tag.IsConstructed || tag.HasSameClassAndValue(Asn1Tag.PrimitiveOctetString);
            nodes.Add(new Node(der[0], content, mayNest && content.Length != 0 ? Read(content, depth + 1) : null));
            der = der[consumed..];
        }

        return nodes;
    }

    // The tree stays a tree: nothing stands in it twice, or in itself.
    private static Node Copy(Node node) => node with { Content = ContentOf(node), Children = null };

    private static byte[] ContentOf(Node node) => node.Children is null ? node.Content : Write(node.Children);

    private static byte[] Write(List<Node> nodes) => [.. nodes.SelectMany(node =>
    {
        byte[] content = ContentOf(node);
        return (byte[])[node.Tag, .. LengthOf(content), .. content];
    })];

    private static byte[] LengthOf(byte[] content) => content.Length switch
    {
        < 0x80 => [(byte)content.Length],
        < 0x100 => [0x81, (byte)content.Length],
        < 0x10000 => [0x82, (byte)(content.Length >> 8), (byte)content.Length],
        _ => [0x83, (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length],
    };

    private sealed record Node(byte Tag, byte[] Content, List<Node>? Children);
}
