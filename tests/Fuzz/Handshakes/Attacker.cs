using System.Buffers.Binary;
using KTls.Handshake;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Handshakes;

/// <summary>
/// Somebody between the ends who has the keys of both, and does to one direction what a script says: message by message, record
/// by record. Without a script everything passes as it is.
/// </summary>
/// <param name="script">What to do; null: nothing.</param>
/// <param name="maxContent">The most bytes that the end behind takes in a record.</param>
internal sealed class Attacker(Script? script, int maxContent)
{
    private const int MaxUnits = 64;
    private const int MaxSeen = 64;
    private const int MostRecords = 128;

    private readonly List<Fragment> _seen = [];
    private List<Fragment> _held = [];

    /// <summary>Whether anything was done that may keep a handshake from completing.</summary>
    public bool HasDisturbed { get; private set; }

    public bool IsHoldingBack => _held.Count != 0;

    /// <summary>What becomes of the records that an end sends together.</summary>
    public List<Delivery> Pass(List<Fragment> fragments)
    {
        List<Fragment> units = SplitMessages(fragments);
        if (script is null)
        {
            return [.. Join(units, maxContent).Select(fragment => new Delivery(fragment))];
        }

        _seen.AddRange(units.Take(MaxSeen - _seen.Count));
        (units, _held) = ([.. _held, .. units], []);
        for (int changes = script.Next() % 4; changes > 0 && units.Count is > 0 and < MaxUnits; changes--)
        {
            Change(units);
        }

        // Bytes one by one, but not thousands of them.
        int size = script.Next();
        size = size == 0 ? 0 : Math.Max(size, units.Sum(unit => unit.Content.Length) / MostRecords);
        List<Delivery> deliveries = [.. Join(units, size == 0 ? maxContent : Math.Min(size, maxContent)).Select(fragment => new Delivery(fragment))];
        for (int changes = script.Next() % 3; changes > 0 && deliveries.Count != 0; changes--)
        {
            Change(deliveries);
        }

        return deliveries;
    }

    private void Change(List<Fragment> units)
    {
        int at = script!.Next() % units.Count;
        Fragment unit = units[at];
        byte what = script.Next();
        HasDisturbed |= what % 16 != 0;
        Trace.Write($"change {what % 16} of {unit}");
        switch (what % 16)
        {
            case 0:
                // Padding is right as long as there is room for content beside it (RFC 8446 §5.4, RFC 8449 §4).
                units[at] = unit with { Padding = script.Next() };
                HasDisturbed |= units[at].Padding >= maxContent;
                break;
            case 1:
                units.RemoveAt(at);
                break;
            case 2:
                units.Insert(at, unit);
                break;
            case 3:
                int other = script.Next() % units.Count;
                (units[at], units[other]) = (units[other], unit);
                break;
            case 4:
                _held.Add(unit);
                units.RemoveAt(at);
                break;
            case 5:
                units.Insert(at, _seen[script.Next() % _seen.Count]);
                break;
            case 6:
                units.Insert(at, new Fragment(unit.Epoch, ContentType.Handshake, Parsers.Message.Of((HandshakeType)script.Next(), new byte[script.Next() * script.Next()])));
                break;
            case 7:
                units.Insert(at, new Fragment(script.Next() % 2 == 0 ? Epoch.Plain : unit.Epoch, ContentType.ChangeCipherSpec, script.Next() % 4 == 0 ? [.. script.Take(2)] : [1]));
                break;
            case 8:
                units.Insert(at, new Fragment(unit.Epoch, ContentType.Alert, [(byte)(1 + (script.Next() % 2)), script.Next()]));
                break;
            case 9:
                units.Insert(at, new Fragment(unit.Epoch, (ContentType)(20 + (script.Next() % 5)), new byte[script.Next() * 70]));
                break;
            case 10:
                units[at] = unit with { Epoch = (Epoch)(script.Next() % 3) };
                break;
            case 11:
                units[at] = unit with { Type = (ContentType)(18 + (script.Next() % 8)) };
                break;
            case 12:
                units[at] = unit with { Content = unit.Content[..(script.Next16() % (unit.Content.Length + 1))] };
                break;
            case 13:
                units[at] = WithBody(unit, Overwrite);
                break;
            case 14:
                units[at] = WithBody(unit, Insert);
                break;
            default:
                units[at] = WithBody(unit, body => new Mutator(new Random(script.Next16())).Mutate(body, script.Take(16), 70_000));
                break;
        }
    }

    private byte[] Overwrite(byte[] body)
    {
        int at = script!.Next16();
        foreach (byte value in script.Take(1 + (script.Next() % 8)))
        {
            if (body.Length != 0)
            {
                body[at++ % body.Length] = value;
            }
        }

        return body;
    }

    private byte[] Insert(byte[] body)
    {
        int at = script!.Next16() % (body.Length + 1);
        int dropped = Math.Min(script.Next() % 8, body.Length - at);
        return [.. body[..at], .. script.Take(script.Next() % 32), .. body[(at + dropped)..]];
    }

    // A message gets the length that fits, so that its body is read.
    private static Fragment WithBody(Fragment unit, Func<byte[], byte[]> change) => unit.IsHandshake && unit.Content.Length >= 4
        ? unit with { Content = Parsers.Message.Of((HandshakeType)unit.Content[0], change(unit.Content[4..])) }
        : unit with { Content = change([.. unit.Content]) };

    private void Change(List<Delivery> deliveries)
    {
        int at = script!.Next() % deliveries.Count;
        Delivery delivery = deliveries[at];
        int place = script.Next16();
        byte value = script.Next();
        HasDisturbed = true;
        switch (script.Next() % 6)
        {
            case 0:
                deliveries[at] = delivery with { Change = record => Flip(record, place, value) };
                break;
            case 1:
                deliveries[at] = delivery with { Change = record => Cut(record, place) };
                break;
            case 2:
                deliveries[at] = delivery with { Change = record => Flip(record, place % 3, value) };
                break;
            case 3:
                deliveries[at] = delivery with { IsRepeated = true };
                break;
            case 4:
                deliveries[at] = delivery with { IsLate = true };
                break;
            default:
                deliveries.RemoveAt(at);
                break;
        }
    }

    // The length stays: to tell where a record ends is the caller's part.
    private static byte[] Flip(byte[] record, int place, byte value)
    {
        int at = place % record.Length;
        record[at is 3 or 4 ? at - 3 : at] ^= value;
        return record;
    }

    private static byte[] Cut(byte[] record, int place)
    {
        int length = place % (record.Length - RecordHeader.Size + 1);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)length);
        return record[..(RecordHeader.Size + length)];
    }

    private static List<Fragment> SplitMessages(List<Fragment> fragments)
    {
        var units = new List<Fragment>();
        foreach (Fragment joined in Join(fragments, int.MaxValue))
        {
            units.AddRange(joined.IsHandshake ? HandshakeStream.Split(joined.Content).Select(message => joined with { Content = message }) : [joined]);
        }

        return units;
    }

    // Messages one after the other under the same keys, in as few records as their size, padding included, allows.
    private static List<Fragment> Join(List<Fragment> units, int size)
    {
        var records = new List<Fragment>();
        for (int at = 0; at < units.Count;)
        {
            Fragment first = units[at];
            List<Fragment> group = [.. units.Skip(at).TakeWhile(unit => unit.IsHandshake && unit.Epoch == first.Epoch && unit.Padding == first.Padding)];
            if (group.Count == 0)
            {
                records.Add(first);
                at++;
                continue;
            }

            if (group.TrueForAll(unit => unit.Content.Length == 0))
            {
                records.Add(first);
            }

            records.AddRange(group.SelectMany(unit => unit.Content).Chunk(Math.Max(1, size - first.Padding)).Select(content => first with { Content = content }));
            at += group.Count;
        }

        return records;
    }
}
