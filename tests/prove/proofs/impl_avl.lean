namespace ImplAvl

inductive Tree where
  | leaf : Tree
  | node : Tree → Int → Tree → Tree

def height : Tree → Nat
  | .leaf => 0
  | .node l _ r => max (height l) (height r) + 1

def keys : Tree → List Int
  | .leaf => []
  | .node l x r => keys l ++ x :: keys r

def Ordered (t : Tree) : Prop := (keys t).Pairwise (· < ·)

def Balanced : Tree → Prop
  | .leaf => True
  | .node l _ r =>
    Balanced l ∧ Balanced r ∧ height l ≤ height r + 1 ∧ height r ≤ height l + 1

def rotateRight : Tree → Tree
  | .node (.node a x b) y c => .node a x (.node b y c)
  | t => t

def rotateLeft : Tree → Tree
  | .node a x (.node b y c) => .node (.node a x b) y c
  | t => t

def left : Tree → Tree
  | .leaf => .leaf
  | .node l _ _ => l

def right : Tree → Tree
  | .leaf => .leaf
  | .node _ _ r => r

def join (l : Tree) (x : Int) (r : Tree) : Tree :=
  if height r + 1 < height l then
    if height (left l) < height (right l) then rotateRight (.node (rotateLeft l) x r)
    else rotateRight (.node l x r)
  else if height l + 1 < height r then
    if height (right r) < height (left r) then rotateLeft (.node l x (rotateRight r))
    else rotateLeft (.node l x r)
  else .node l x r

def add (k : Int) : Tree → Tree
  | .leaf => .node .leaf k .leaf
  | .node l x r =>
    if k < x then join (add k l) x r
    else if x < k then join l x (add k r)
    else .node l x r

/-- Add a key, if it is not there. -/
def insert (k : Int) (t : Tree) : Tree := add k t

theorem keys_rotateRight (t : Tree) : keys (rotateRight t) = keys t := by
  unfold rotateRight
  split <;> simp [keys]

theorem keys_rotateLeft (t : Tree) : keys (rotateLeft t) = keys t := by
  unfold rotateLeft
  split <;> simp [keys]

theorem keys_join (l : Tree) (x : Int) (r : Tree) : keys (join l x r) = keys l ++ x :: keys r := by
  unfold join
  repeat' split
  all_goals simp [keys_rotateRight, keys_rotateLeft, keys]

theorem ordered_iff (l : Tree) (x : Int) (r : Tree) :
    (keys l ++ x :: keys r).Pairwise (· < ·) ↔
      Ordered l ∧ Ordered r ∧ (∀ a, a ∈ keys l → a < x) ∧ ∀ b, b ∈ keys r → x < b := by
  simp only [Ordered, List.pairwise_append, List.pairwise_cons, List.mem_cons]
  constructor
  · rintro ⟨hl, ⟨hx, hr⟩, hlr⟩
    exact ⟨hl, hr, fun a ha => hlr a ha x (.inl rfl), hx⟩
  · rintro ⟨hl, hr, ha, hb⟩
    refine ⟨hl, ⟨hb, hr⟩, fun a h b hb' => ?_⟩
    rcases hb' with rfl | hb'
    · exact ha a h
    · exact Int.lt_trans (ha a h) (hb b hb')

theorem join_balanced (l : Tree) (x : Int) (r : Tree) (hl : Balanced l) (hr : Balanced r)
    (h1 : height l ≤ height r + 2) (h2 : height r ≤ height l + 2) :
    Balanced (join l x r) ∧ (height (join l x r) = max (height l) (height r) + 1 ∨
      (height (join l x r) = max (height l) (height r) ∧
        (height r + 1 < height l ∨ height l + 1 < height r))) := by
  unfold join
  split
  · cases l with
    | leaf => simp [height] at *
    | node a y b =>
      simp only [left, right]
      split
      · cases b with
        | leaf => simp [height] at *
        | node b z c =>
          simp only [rotateLeft, rotateRight, Balanced, height] at *
          and_intros
          all_goals first | exact hr | exact hl.1 | exact hl.2.1.1 | exact hl.2.1.2.1 | omega
      · simp only [rotateRight, Balanced, height] at *
        and_intros
        all_goals first | exact hr | exact hl.1 | exact hl.2.1 | omega
  · split
    · cases r with
      | leaf => simp [height] at *
      | node b y c =>
        simp only [left, right]
        split
        · cases b with
          | leaf => simp [height] at *
          | node a z b =>
            simp only [rotateLeft, rotateRight, Balanced, height] at *
            and_intros
            all_goals first | exact hl | exact hr.1.1 | exact hr.1.2.1 | exact hr.2.1 | omega
        · simp only [rotateLeft, Balanced, height] at *
          and_intros
          all_goals first | exact hl | exact hr.1 | exact hr.2.1 | omega
    · exact ⟨⟨hl, hr, by omega, by omega⟩, .inl rfl⟩

theorem mem_insert (j k : Int) (t : Tree) : j ∈ keys (insert k t) ↔ j = k ∨ j ∈ keys t := by
  unfold insert
  induction t with
  | leaf => simp [add, keys]
  | node l x r ihl ihr =>
    unfold add
    split
    · simp only [keys_join, keys, List.mem_append, List.mem_cons, ihl, or_assoc]
    · split
      · simp only [keys_join, keys, List.mem_append, List.mem_cons, ihr]
        grind
      · have : k = x := by omega
        subst this
        simp only [keys, List.mem_append, List.mem_cons]
        grind

theorem insert_ordered (k : Int) (t : Tree) (h : Ordered t) : Ordered (insert k t) := by
  have mem := mem_insert
  unfold insert at *
  induction t with
  | leaf => simp [add, Ordered, keys]
  | node l x r ihl ihr =>
    unfold Ordered keys at h
    obtain ⟨hl, hr, ha, hb⟩ := (ordered_iff l x r).mp h
    unfold add
    split
    · unfold Ordered
      rw [keys_join, ordered_iff]
      refine ⟨ihl hl, hr, fun a h => ?_, hb⟩
      rcases (mem a k l).mp h with rfl | h
      · assumption
      · exact ha a h
    · split
      · unfold Ordered
        rw [keys_join, ordered_iff]
        refine ⟨hl, ihr hr, ha, fun b h => ?_⟩
        rcases (mem b k r).mp h with rfl | h
        · assumption
        · exact hb b h
      · exact h

theorem insert_balanced (k : Int) (t : Tree) (h : Balanced t) : Balanced (insert k t) := by
  suffices Balanced (add k t) ∧ (height (add k t) = height t ∨ height (add k t) = height t + 1) from
    this.1
  induction t with
  | leaf => simp [add, Balanced, height]
  | node l x r ihl ihr =>
    obtain ⟨hl, hr, h1, h2⟩ := h
    have ihl := ihl hl
    have ihr := ihr hr
    unfold add
    split
    · have j := join_balanced (add k l) x r ihl.1 hr (by omega) (by omega)
      refine ⟨j.1, ?_⟩
      simp only [height]
      omega
    · split
      · have j := join_balanced l x (add k r) hl ihr.1 (by omega) (by omega)
        refine ⟨j.1, ?_⟩
        simp only [height]
        omega
      · exact ⟨⟨hl, hr, h1, h2⟩, .inl rfl⟩

theorem height_logarithmic (t : Tree) (h : Balanced t) :
    2 ^ (height t / 2) ≤ (keys t).length + 1 := by
  induction t with
  | leaf => simp [height]
  | node l x r ihl ihr =>
    obtain ⟨hl, hr, h1, h2⟩ := h
    have ihl := ihl hl
    have ihr := ihr hr
    have grow : ∀ a b : Nat, a ≤ b → 2 ^ a ≤ 2 ^ b := fun a b h =>
      Nat.pow_le_pow_right (by omega) h
    simp only [height, keys, List.length_append, List.length_cons]
    cases hm : max (height l) (height r) with
    | zero => simp
    | succ n =>
      have gl := grow (n / 2) (height l / 2) (by omega)
      have gr := grow (n / 2) (height r / 2) (by omega)
      rw [show (n + 1 + 1) / 2 = n / 2 + 1 by omega, Nat.pow_succ]
      omega

end ImplAvl
