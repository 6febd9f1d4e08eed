namespace Huffman

/-- A symbol, its frequency and its code word. -/
structure Entry where
  symbol : Nat
  frequency : Nat
  word : List Bool

inductive Shape where
  | leaf : Shape
  | node : Shape → Shape → Shape

def words : Shape → List (List Bool)
  | .leaf => [[]]
  | .node l r => (words l).map (false :: ·) ++ (words r).map (true :: ·)

def place {α : Type} (key : α → Nat) (x : α) : List α → List α
  | [] => [x]
  | y :: ys => if key x ≤ key y then x :: y :: ys else y :: place key x ys

def sortBy {α : Type} (key : α → Nat) : List α → List α
  | [] => []
  | x :: xs => place key x (sortBy key xs)

theorem place_perm {α : Type} (key : α → Nat) (x : α) (xs : List α) :
    (place key x xs).Perm (x :: xs) := by
  induction xs with
  | nil => exact .refl _
  | cons y ys ih =>
    unfold place
    split
    · exact .refl _
    · exact (ih.cons y).trans (.swap _ _ _)

theorem sortBy_perm {α : Type} (key : α → Nat) (xs : List α) : (sortBy key xs).Perm xs := by
  induction xs with
  | nil => exact .refl _
  | cons x xs ih => exact (place_perm key x _).trans (ih.cons x)

theorem sortBy_sorted {α : Type} (key : α → Nat) (xs : List α) :
    (sortBy key xs).Pairwise (fun x y => key x ≤ key y) := by
  induction xs with
  | nil => exact .nil
  | cons x xs ih =>
    unfold sortBy
    generalize sortBy key xs = ys at ih
    induction ys with
    | nil => simp [place]
    | cons y ys ihy =>
      have hy := List.pairwise_cons.mp ih
      unfold place
      split
      · refine List.pairwise_cons.mpr ⟨fun z hz => ?_, ih⟩
        rcases List.mem_cons.mp hz with rfl | hz
        · assumption
        · exact Nat.le_trans (by assumption) (hy.1 z hz)
      · refine List.pairwise_cons.mpr ⟨fun z hz => ?_, ihy hy.2⟩
        rcases List.mem_cons.mp ((place_perm key x ys).mem_iff.mp hz) with rfl | hz
        · omega
        · exact hy.1 z hz

/-- Join the two lightest trees, until one is left. -/
def shape : List (Nat × Shape) → Shape
  | [] => .leaf
  | [(_, s)] => s
  | (v, s) :: (w, t) :: rest => shape (place Prod.fst (v + w, .node s t) rest)
termination_by trees => trees.length
decreasing_by
  have := (place_perm Prod.fst (v + w, Shape.node s t) rest).length_eq
  simp only [List.length_cons] at *
  omega

/-- A code word for every symbol, given with its frequency. -/
def code (symbols : List (Nat × Nat)) : List Entry :=
  let sorted := sortBy Prod.snd symbols
  let codeWords := sortBy List.length (words (shape (sorted.map (fun s => (s.2, .leaf)))))
  (sorted.reverse.zip codeWords).map (fun c => ⟨c.1.1, c.1.2, c.2⟩)

def total : List (Nat × Shape) → Nat
  | [] => 0
  | s :: trees => (words s.2).length + total trees

theorem total_place (s : Nat × Shape) (trees : List (Nat × Shape)) :
    total (place Prod.fst s trees) = (words s.2).length + total trees := by
  induction trees with
  | nil => rfl
  | cons t trees ih =>
    unfold place
    split
    · rfl
    · simp only [total, ih]
      omega

theorem length_words_shape (trees : List (Nat × Shape)) (h : trees ≠ []) :
    (words (shape trees)).length = total trees := by
  fun_induction shape trees with
  | case1 => exact absurd rfl h
  | case2 w s => rfl
  | case3 v s w t rest ih =>
    rw [ih (by intro e; have := (place_perm Prod.fst (v + w, Shape.node s t) rest).length_eq
               simp [e] at this), total_place]
    simp [words, total]
    omega

theorem total_leaves (symbols : List (Nat × Nat)) :
    total (symbols.map (fun s => (s.2, Shape.leaf))) = symbols.length := by
  induction symbols with
  | nil => rfl
  | cons s symbols ih =>
    simp [total, words, ih]
    omega

theorem words_free (s : Shape) : (words s).Pairwise (fun v w => ¬ v <+: w ∧ ¬ w <+: v) := by
  induction s with
  | leaf => simp [words]
  | node l r ihl ihr =>
    simp only [words, List.pairwise_append, List.pairwise_map, List.mem_map]
    refine ⟨?_, ?_, ?_⟩
    · simpa using ihl
    · simpa using ihr
    · rintro _ ⟨v, _, rfl⟩ _ ⟨w, _, rfl⟩
      simp

theorem words_complete (s : Shape) (w : List Bool) : ∃ v, v ∈ words s ∧ (v <+: w ∨ w <+: v) := by
  induction s generalizing w with
  | leaf => exact ⟨[], by simp [words], .inl (List.nil_prefix)⟩
  | node l r ihl ihr =>
    cases w with
    | nil =>
      obtain ⟨v, hv, _⟩ := ihl []
      exact ⟨false :: v, by simp [words, hv], .inr (List.nil_prefix)⟩
    | cons b w =>
      cases b with
      | false =>
        obtain ⟨v, hv, h⟩ := ihl w
        exact ⟨false :: v, by simp [words, hv], by simpa using h⟩
      | true =>
        obtain ⟨v, hv, h⟩ := ihr w
        exact ⟨true :: v, by simp [words, hv], by simpa using h⟩

/-- What `code` pairs up: symbols from frequent to rare, words from short to long. -/
theorem code_parts (symbols : List (Nat × Nat)) :
    ∃ (syms : List (Nat × Nat)) (ws : List (List Bool)) (s : Shape),
      code symbols = (syms.zip ws).map (fun c => ⟨c.1.1, c.1.2, c.2⟩) ∧ syms.Perm symbols ∧
      syms.Pairwise (fun x y => y.2 ≤ x.2) ∧ ws.Perm (words s) ∧
      ws.Pairwise (fun x y => x.length ≤ y.length) ∧
      (symbols ≠ [] → ws.length = syms.length) := by
  refine ⟨(sortBy Prod.snd symbols).reverse,
    sortBy List.length (words (shape ((sortBy Prod.snd symbols).map (fun s => (s.2, .leaf))))), _,
    rfl, (List.reverse_perm _).trans (sortBy_perm _ _),
    List.pairwise_reverse.mpr (sortBy_sorted _ _), sortBy_perm _ _, sortBy_sorted _ _, fun h => ?_⟩
  have same := (sortBy_perm Prod.snd symbols).length_eq
  rw [(sortBy_perm _ _).length_eq, length_words_shape, total_leaves, List.length_reverse]
  intro e
  have := congrArg List.length e
  rw [List.length_map, same] at this
  exact h (List.length_eq_zero_iff.mp this)

theorem pairwise_either {α : Type} {R : α → α → Prop} {l : List α} (h : l.Pairwise R) {x y : α}
    (hx : x ∈ l) (hy : y ∈ l) : x = y ∨ R x y ∨ R y x := by
  induction l with
  | nil => cases hx
  | cons z l ih =>
    have hz := List.pairwise_cons.mp h
    rcases List.mem_cons.mp hx with hx' | hx'
    · rcases List.mem_cons.mp hy with hy' | hy'
      · exact .inl (hx'.trans hy'.symm)
      · exact .inr (.inl (hx' ▸ hz.1 y hy'))
    · rcases List.mem_cons.mp hy with hy' | hy'
      · exact .inr (.inr (hy' ▸ hz.1 x hx'))
      · exact ih hz.2 hx' hy'

theorem pairwise_zip {α β : Type} {R : α → α → Prop} {S : β → β → Prop} {xs : List α} {ys : List β}
    (hx : xs.Pairwise R) (hy : ys.Pairwise S) :
    (xs.zip ys).Pairwise (fun c d => R c.1 d.1 ∧ S c.2 d.2) := by
  induction xs generalizing ys with
  | nil => simp
  | cons x xs ih =>
    cases ys with
    | nil => simp
    | cons y ys =>
      have hx := List.pairwise_cons.mp hx
      have hy := List.pairwise_cons.mp hy
      refine List.pairwise_cons.mpr ⟨fun c hc => ?_, ih hx.2 hy.2⟩
      have := List.of_mem_zip (a := c.1) (b := c.2) hc
      exact ⟨hx.1 _ this.1, hy.1 _ this.2⟩

theorem code_symbols (symbols : List (Nat × Nat)) :
    ((code symbols).map (fun e => (e.symbol, e.frequency))).Perm symbols := by
  obtain ⟨syms, ws, s, hc, hs, _, _, _, hl⟩ := code_parts symbols
  rw [hc, List.map_map]
  by_cases h : symbols = []
  · subst h
    have := List.Perm.eq_nil hs
    subst this
    exact .refl _
  · have : (syms.zip ws).map Prod.fst = syms := List.map_fst_zip (by rw [hl h]; exact Nat.le_refl _)
    refine .trans (.of_eq ?_) hs
    exact this

theorem code_prefix_free (symbols : List (Nat × Nat)) :
    (code symbols).Pairwise (fun d e => ¬ d.word <+: e.word ∧ ¬ e.word <+: d.word) := by
  obtain ⟨syms, ws, s, hc, _, hp, hw, _, _⟩ := code_parts symbols
  have free : ws.Pairwise (fun v w => ¬ v <+: w ∧ ¬ w <+: v) :=
    (hw.pairwise_iff (fun h => ⟨h.2, h.1⟩)).mpr (words_free s)
  rw [hc, List.pairwise_map]
  exact (pairwise_zip hp free).imp (fun h => h.2)

theorem code_complete (symbols : List (Nat × Nat)) (h : symbols ≠ []) (bits : List Bool) :
    ∃ e, e ∈ code symbols ∧ (e.word <+: bits ∨ bits <+: e.word) := by
  obtain ⟨syms, ws, s, hc, _, _, hw, _, hl⟩ := code_parts symbols
  obtain ⟨v, hv, hb⟩ := words_complete s bits
  have back : (syms.zip ws).map Prod.snd = ws :=
    List.map_snd_zip (by rw [hl h]; exact Nat.le_refl _)
  have inside := hw.mem_iff.mpr hv
  rw [← back, List.mem_map] at inside
  obtain ⟨c, hcz, rfl⟩ := inside
  exact ⟨⟨c.1.1, c.1.2, c.2⟩, by rw [hc]; exact List.mem_map.mpr ⟨c, hcz, rfl⟩, hb⟩

theorem frequent_not_longer (symbols : List (Nat × Nat)) (d e : Entry) (hd : d ∈ code symbols)
    (he : e ∈ code symbols) (h : e.frequency < d.frequency) :
    d.word.length ≤ e.word.length := by
  obtain ⟨syms, ws, s, hc, _, hp, _, hw, _⟩ := code_parts symbols
  have sorted : (code symbols).Pairwise
      (fun d e => e.frequency ≤ d.frequency ∧ d.word.length ≤ e.word.length) := by
    rw [hc, List.pairwise_map]
    exact pairwise_zip hp hw
  rcases pairwise_either sorted hd he with rfl | h' | h'
  · omega
  · exact h'.2
  · omega

end Huffman
