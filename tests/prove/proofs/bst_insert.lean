namespace Bst

inductive Tree where
  | leaf : Tree
  | node : Tree → Nat → Tree → Tree

def insert (k : Nat) : Tree → Tree
  | .leaf => .node .leaf k .leaf
  | .node l x r =>
    if k < x then .node (insert k l) x r
    else if x < k then .node l x (insert k r)
    else .node l x r

def Mem (k : Nat) : Tree → Prop
  | .leaf => False
  | .node l x r => Mem k l ∨ k = x ∨ Mem k r

def Ordered : Tree → Prop
  | .leaf => True
  | .node l x r =>
    Ordered l ∧ Ordered r ∧ (∀ k, Mem k l → k < x) ∧ (∀ k, Mem k r → x < k)

def lookup (k : Nat) : Tree → Bool
  | .leaf => false
  | .node l x r => if k < x then lookup k l else if x < k then lookup k r else true

theorem mem_insert (j k : Nat) (t : Tree) : Mem j (insert k t) ↔ j = k ∨ Mem j t := by
  induction t with
  | leaf => simp [insert, Mem]
  | node l x r ihl ihr =>
    by_cases h1 : k < x
    · simp only [insert, if_pos h1, Mem, ihl]
      grind
    · by_cases h2 : x < k
      · simp only [insert, if_neg h1, if_pos h2, Mem, ihr]
        grind
      · have hk : k = x := by omega
        simp only [insert, if_neg h1, if_neg h2, Mem]
        grind

theorem insert_ordered (k : Nat) (t : Tree) (h : Ordered t) : Ordered (insert k t) := by
  induction t with
  | leaf => simp [insert, Ordered, Mem]
  | node l x r ihl ihr =>
    obtain ⟨hl, hr, hlx, hrx⟩ := h
    by_cases h1 : k < x
    · simp only [insert, if_pos h1]
      refine And.intro (ihl hl) (And.intro hr (And.intro ?_ hrx))
      intro j hj
      rcases (mem_insert j k l).mp hj with rfl | hj
      · exact h1
      · exact hlx j hj
    · by_cases h2 : x < k
      · simp only [insert, if_neg h1, if_pos h2]
        refine And.intro hl (And.intro (ihr hr) (And.intro hlx ?_))
        intro j hj
        rcases (mem_insert j k r).mp hj with rfl | hj
        · exact h2
        · exact hrx j hj
      · simp only [insert, if_neg h1, if_neg h2]
        exact And.intro hl (And.intro hr (And.intro hlx hrx))

theorem lookup_iff_mem (k : Nat) (t : Tree) (h : Ordered t) : lookup k t = true ↔ Mem k t := by
  induction t with
  | leaf => simp [lookup, Mem]
  | node l x r ihl ihr =>
    obtain ⟨hl, hr, hlx, hrx⟩ := h
    by_cases h1 : k < x
    · simp only [lookup, if_pos h1, Mem]
      rw [ihl hl]
      constructor
      · exact Or.inl
      · intro hm
        rcases hm with hm | hm | hm
        · exact hm
        · omega
        · have := hrx k hm
          omega
    · by_cases h2 : x < k
      · simp only [lookup, if_neg h1, if_pos h2, Mem]
        rw [ihr hr]
        constructor
        · exact fun hm => Or.inr (Or.inr hm)
        · intro hm
          rcases hm with hm | hm | hm
          · have := hlx k hm
            omega
          · omega
          · exact hm
      · simp only [lookup, if_neg h1, if_neg h2, Mem]
        exact ⟨fun _ => Or.inr (Or.inl (by omega)), fun _ => trivial⟩

end Bst
