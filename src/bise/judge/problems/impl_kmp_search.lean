namespace Kmp

/-- From `q` matched elements of the pattern, and the next one of the text, to how many match. -/
def next (pattern : List Nat) (q : Nat) (c : Nat) : Nat := sorry

def scan (pattern : List Nat) : Nat → Nat → List Nat → Option Nat
  | _, _, [] => none
  | q, place, c :: text =>
    if next pattern q c = pattern.length then some (place + 1 - pattern.length)
    else scan pattern (next pattern q c) (place + 1) text

/-- Where the pattern occurs first, found in one pass that never goes back in the text. -/
def search (pattern text : List Nat) : Option Nat :=
  if pattern = [] then some 0 else scan pattern 0 0 text

theorem next_matches (pattern : List Nat) (q c : Nat) :
    next pattern q c ≤ pattern.length ∧
      pattern.take (next pattern q c) <:+ pattern.take q ++ [c] := sorry

theorem next_longest (pattern : List Nat) (q c k : Nat) (hk : k ≤ pattern.length)
    (h : pattern.take k <:+ pattern.take q ++ [c]) : k ≤ next pattern q c := sorry

theorem search_some (pattern text : List Nat) (i : Nat) (h : search pattern text = some i) :
    pattern <+: text.drop i ∧ ∀ j, j < i → ¬ pattern <+: text.drop j := sorry

theorem search_none (pattern text : List Nat) (h : search pattern text = none) (j : Nat) :
    ¬ pattern <+: text.drop j := sorry

end Kmp
