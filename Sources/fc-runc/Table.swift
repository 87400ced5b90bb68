// SPDX-License-Identifier: Apache-2.0
/// Text in columns, as wide as runc's (Go's tabwriter with a least width of 12 and 3 blanks between).
enum Table {
    static func text(_ rows: [[String]], minimumWidth: Int = 12, padding: Int = 3) -> String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                let width = max(cell.count + padding, minimumWidth)
                if column < widths.count { widths[column] = max(widths[column], width) } else { widths.append(width) }
            }
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                // What comes last in a line is not filled up.
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }.joined() + "\n"
        }.joined()
    }
}
