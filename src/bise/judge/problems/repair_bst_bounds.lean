namespace BstBounds

inductive Tree where
  | leaf : Tree
  | node : Tree → Int → Tree → Tree

def keys : Tree → List Int
  | .leaf => []
  | .node l x r => keys l ++ x :: keys r

def rotate : Tree → Tree
  | .node (.node a x b) y c => .node a x (.node b y c)
  | t => t

def Within (low high : Option Int) : Tree → Prop
  | .leaf => True
  | .node l x r =>
    (∀ b, low = some b → b < x) ∧ (∀ b, high = some b → x < b) ∧
      Within low (some x) l ∧ Within (some x) high r

def Ordered (t : Tree) : Prop := Within none none t

/- Before `Ordered` was changed:

def Ordered : Tree → Prop
  | .leaf => True
  | .node l x r =>
    Ordered l ∧ Ordered r ∧ (∀ k, k ∈ keys l → k < x) ∧ (∀ k, k ∈ keys r → x < k)

The proof that fitted it, and has to be mended:

theorem keys_sorted (t : Tree) (h : Ordered t) : (keys t).Pairwise (· < ·) := by
  induction t with
  | leaf => exact .nil
  | node l x r ihl ihr =>
    obtain ⟨hl, hr, h1, h2⟩ := h
    refine List.pairwise_append.mpr ⟨ihl hl, List.pairwise_cons.mpr ⟨h2, ihr hr⟩, ?_⟩
    intro a ha b hb
    rcases List.mem_cons.mp hb with rfl | hb
    · exact h1 a ha
    · exact Int.lt_trans (h1 a ha) (h2 b hb)

theorem rotate_ordered (t : Tree) (h : Ordered t) : Ordered (rotate t) := by
  unfold rotate
  split
  · rename_i a x b y c
    obtain ⟨⟨ha, hb, hax, hxb⟩, hc, hy, hyc⟩ := h
    have hxy : x < y := hy x (by simp [keys])
    refine ⟨ha, ⟨hb, hc, fun k hk => hy k (by simp [keys, hk]), hyc⟩, hax, fun k hk => ?_⟩
    rcases List.mem_append.mp hk with hk | hk
    · exact hxb k hk
    · rcases List.mem_cons.mp hk with rfl | hk
      · exact hxy
      · exact Int.lt_trans hxy (hyc k hk)
  · exact h
-/

theorem keys_sorted (t : Tree) (h : Ordered t) : (keys t).Pairwise (· < ·) := sorry

theorem rotate_ordered (t : Tree) (h : Ordered t) : Ordered (rotate t) := sorry

end BstBounds
