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

theorem within_mem (low high : Option Int) (t : Tree) (h : Within low high t) (k : Int)
    (hk : k ∈ keys t) : (∀ b, low = some b → b < k) ∧ ∀ b, high = some b → k < b := by
  induction t generalizing low high with
  | leaf => cases hk
  | node l x r ihl ihr =>
    obtain ⟨h1, h2, h3, h4⟩ := h
    rcases List.mem_append.mp hk with hk | hk
    · have := ihl _ _ h3 hk
      exact ⟨this.1, fun b e => Int.lt_trans (this.2 x rfl) (h2 b e)⟩
    · rcases List.mem_cons.mp hk with rfl | hk
      · exact ⟨h1, h2⟩
      · have := ihr _ _ h4 hk
        exact ⟨fun b e => Int.lt_trans (h1 b e) (this.1 x rfl), this.2⟩

theorem keys_sorted_within (low high : Option Int) (t : Tree) (h : Within low high t) :
    (keys t).Pairwise (· < ·) := by
  induction t generalizing low high with
  | leaf => exact .nil
  | node l x r ihl ihr =>
    obtain ⟨_, _, h3, h4⟩ := h
    have above : ∀ k, k ∈ keys r → x < k := fun k hk => (within_mem _ _ r h4 k hk).1 x rfl
    refine List.pairwise_append.mpr ⟨ihl _ _ h3, List.pairwise_cons.mpr ⟨above, ihr _ _ h4⟩, ?_⟩
    intro a ha b hb
    have below := (within_mem _ _ l h3 a ha).2 x rfl
    rcases List.mem_cons.mp hb with rfl | hb
    · exact below
    · exact Int.lt_trans below (above b hb)

theorem keys_sorted (t : Tree) (h : Ordered t) : (keys t).Pairwise (· < ·) := by
  exact keys_sorted_within none none t h

theorem rotate_ordered (t : Tree) (h : Ordered t) : Ordered (rotate t) := by
  unfold rotate
  split
  · obtain ⟨h1, h2, ⟨h3, h4, h5, h6⟩, h7⟩ := h
    exact ⟨h3, nofun, h5, fun b e => Option.some.inj e ▸ h4 _ rfl, h2, h6, h7⟩
  · exact h

end BstBounds
