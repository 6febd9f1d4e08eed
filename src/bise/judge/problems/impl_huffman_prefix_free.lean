namespace Huffman

/-- A symbol, its frequency and its code word. -/
structure Entry where
  symbol : Nat
  frequency : Nat
  word : List Bool

/-- A code word for every symbol, given with its frequency. -/
def code (symbols : List (Nat × Nat)) : List Entry := sorry

theorem code_symbols (symbols : List (Nat × Nat)) :
    ((code symbols).map (fun e => (e.symbol, e.frequency))).Perm symbols := sorry

theorem code_prefix_free (symbols : List (Nat × Nat)) :
    (code symbols).Pairwise (fun d e => ¬ d.word <+: e.word ∧ ¬ e.word <+: d.word) := sorry

theorem code_complete (symbols : List (Nat × Nat)) (h : symbols ≠ []) (bits : List Bool) :
    ∃ e, e ∈ code symbols ∧ (e.word <+: bits ∨ bits <+: e.word) := sorry

theorem frequent_not_longer (symbols : List (Nat × Nat)) (d e : Entry) (hd : d ∈ code symbols)
    (he : e ∈ code symbols) (h : e.frequency < d.frequency) :
    d.word.length ≤ e.word.length := sorry

end Huffman
